import { ExactNumber, parseJson, type Json } from '@foldwork/events/contracts';
import { ExpressionError } from '../../expressions';

export const ITEMS_MAX = 10_000;

const NUMBERS = /^\s*(-?\d{1,15})\s*\.\.\s*(-?\d{1,15})\s*$/;
const LETTERS = /^\s*([a-zA-Z])\s*\.\.\s*([a-zA-Z])\s*$/;

/**
 * What a collection runs over: a list as it is; a map as `{key, value}` sorted by key; a range `1..10` or `a..c` in
 * either direction; JSON text as what it says; null as nothing; any other value as the only item. Throws
 * `ExpressionError` (`expression_limit`) past 10,000 items.
 */
export const expandItems = (value: Json): Json[] => {
  const items = expand(value);
  if (items.length > ITEMS_MAX) throw tooMany(items.length);
  return items;
};

const expand = (value: Json): Json[] => {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return expandText(value);
  if (typeof value !== 'object' || value instanceof ExactNumber) return [value];
  return Object.keys(value).sort().map((key) => ({ key, value: value[key] ?? null }));
};

const expandText = (text: string): Json[] => {
  const numbers = NUMBERS.exec(text);
  if (numbers !== null) return range(Number(numbers[1]), Number(numbers[2]));
  const letters = LETTERS.exec(text);
  if (letters !== null) return range(code(letters[1]), code(letters[2])).map((each) => String.fromCharCode(each));
  if (/^\s*[[{]/.test(text)) return expandJsonText(text);
  return text.trim() === '' ? [] : [text];
};

const code = (letter: string | undefined): number => letter?.charCodeAt(0) ?? 0;

const expandJsonText = (text: string): Json[] => {
  try {
    return expand(parseJson(text));
  } catch (error) {
    if (error instanceof SyntaxError) return [text];
    throw error;
  }
};

const range = (from: number, to: number): number[] => {
  const length = Math.abs(to - from) + 1;
  if (length > ITEMS_MAX) throw tooMany(length);
  const step = to >= from ? 1 : -1;
  return Array.from({ length }, (_, index) => from + index * step);
};

const tooMany = (length: number): ExpressionError =>
  new ExpressionError('expression_limit', `a collection has at most ${ITEMS_MAX} items, this one has ${length}`);
