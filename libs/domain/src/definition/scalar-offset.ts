import type { Scalar } from 'yaml';

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\n' || character === '\t' || character === '\r';
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/**
 * Offset in the YAML text of character `position` of a scalar's value. Walks value and text side by side, so it holds for
 * plain, quoted and block scalars; where a scalar is folded or escaped in a way it does not know it stays close.
 */
export const offsetInSource = (text: string, scalar: Scalar, position: number): number => {
  const [start = 0, end = text.length] = scalar.range ?? [];
  const value = typeof scalar.value === 'string' ? scalar.value : '';
  const content: Content = { text, end, hasEscapes: scalar.type === 'QUOTE_DOUBLE' };
  let offset = contentStart(text, scalar, start);
  for (let index = 0; index < position && index < value.length && offset < end; index++) {
    offset = stepOver(content, offset, value[index] as string);
  }
  return Math.min(skipIndent(content, offset, value[position]), Math.max(start, end - 1));
};

interface Content {
  readonly text: string;
  readonly end: number;
  readonly hasEscapes: boolean;
}

const contentStart = (text: string, scalar: Scalar, start: number): number => {
  if (scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE') return start + 1;
  if (scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED') return start;
  const lineEnd = text.indexOf('\n', start);
  return lineEnd < 0 ? start : lineEnd + 1;
};

/** The offset behind the character of the value that begins at or after `offset`. */
const stepOver = (content: Content, offset: number, character: string): number => {
  const { text } = content;
  const from = skipIndent(content, offset, character);
  if (content.hasEscapes && text[from] === '\\') return from + escapeLength(text, from, character);
  if (text[from] === "'" && character === "'" && text[from + 1] === "'") return from + 2;
  return from + 1;
};

const escapeLength = (text: string, from: number, character: string): number => {
  const escape = text[from + 1] ?? '';
  if (escape === character || ESCAPES[escape] === character) return 2;
  return { x: 4, u: 6, U: 10 }[escape] ?? 2;
};

/** A fold or an indent in the text has no character in the value. */
const skipIndent = ({ text, end }: Content, offset: number, character: string | undefined): number => {
  let from = offset;
  if (character === undefined) return from;
  if (character === ' ' && text[from] === '\n') return from;
  while (from < end && isSpace(text[from]) && text[from] !== character) from++;
  return from;
};
