/**
 * JSON that keeps every number exactly as it was written. An integer beyond 2^53 or a decimal with more digits than a
 * double holds becomes an `ExactNumber`; all other values are plain JavaScript. Pure.
 */
export type Json = string | number | boolean | null | ExactNumber | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** A number that a double cannot hold; `text` is its literal. */
export class ExactNumber {
  constructor(readonly text: string) {}
  toJSON(): unknown {
    return JSON.rawJSON(this.text);
  }
  toString(): string {
    return this.text;
  }
}

/**
 * Only texts with a number of 16 digits (its decimal point counts) or with an exponent can need the slow path. What
 * precedes a number keeps the hexadecimal digits of ids out, half of which would look like an exponent.
 */
const MAY_NEED_EXACT = /(?:^|[:[,\s])-?\d(?:[\d.]{15}|[\d.]*[eE])/;

/** The type lib does not know the third parameter of a reviver yet (`source`: the literal as written). */
type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown;

const keepExact: SourceReviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && !holds(value, source) ? new ExactNumber(source) : value;

const holds = (value: number, source: string): boolean => digits(String(value)) === digits(source);

/** The significant digits and exponent of a numeric literal, for comparing two spellings of one number. */
const digits = (literal: string): string => {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const all = (whole + fraction).replace(/^0+/, '');
  const significant = all.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (all.length - significant.length);
  return `${literal.startsWith('-') ? '-' : ''}${significant}e${significant === '' ? 0 : scale}`;
};

/** A copy of its own, all the way down. */
export const copyJson = (value: Json): Json => {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (Array.isArray(value)) return value.map(copyJson);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyJson(member)]));
};

/** Parses JSON text; throws `SyntaxError` on malformed text. */
export const parseJson = (text: string): Json =>
  (MAY_NEED_EXACT.test(text) ? JSON.parse(text, keepExact as (key: string, value: unknown) => unknown) : JSON.parse(text)) as Json;

/** Serialises; exact numbers come out digit for digit. `undefined` members are left out. */
export const stringifyJson = (value: unknown): string => JSON.stringify(value) ?? 'null';
