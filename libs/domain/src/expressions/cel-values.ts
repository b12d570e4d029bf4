import { ExactNumber, type Json } from '@foldwork/events/contracts';
import { Optional } from '@marcbachmann/cel-js';
import { ExpressionError } from './expression-error';
import { meter } from './cost-meter';

/** Longer integers stay opaque: nobody computes with them, and parsing them would be the most costly step of all. */
const MAX_DIGITS = 40;
const INTEGER = /^-?\d+$/;
const { isFinite, isSafeInteger, MAX_SAFE_INTEGER } = Number;
const { isArray } = Array;
const { getPrototypeOf, prototype: objectPrototype } = Object;

/**
 * What a leaf of the scope looks like to CEL: an integer beyond 2^53 is a CEL int, whether a double shows its digits or
 * not; an exact decimal stays a `decimal`.
 */
export const toCel = (value: unknown): unknown => {
  if (typeof value === 'number') return value > MAX_SAFE_INTEGER || value < -MAX_SAFE_INTEGER ? beyondSafe(value) : value;
  return value instanceof ExactNumber && value.text.length <= MAX_DIGITS && INTEGER.test(value.text) ? BigInt(value.text) : value;
};

/** Its digits are what the JSON said; the double itself may lie beside them. From 1e21 on it prints no digits. */
const beyondSafe = (value: number): unknown => {
  const text = String(value);
  return INTEGER.test(text) ? BigInt(text) : value;
};

/** Same for a whole tree, exact decimals as doubles: for comparisons, which look inside lists and maps. */
export const toComparable = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return toCel(value);
  if (value instanceof ExactNumber) return toNumeric(value);
  if (isArray(value)) return mapList(value, toComparable);
  return isPlain(value) ? mapObject(value, toComparable) : value;
};

/** A CEL number as JavaScript's: bigint for ints, number for everything else. */
export const toNumeric = (value: unknown): bigint | number => {
  const native = toCel(value);
  if (typeof native === 'number' || typeof native === 'bigint') return native;
  if (native instanceof ExactNumber) return Number(native.text);
  throw new ExpressionError('expression_type', `Expected a number, got ${describe(value)}`);
};

/** The result of an evaluation as JSON; unchanged parts of the scope are passed on as they are. */
export const toJson = (value: unknown): Json => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (isFinite(value)) return value;
      throw new ExpressionError('expression_type', `The result ${value} is no JSON number`);
    case 'bigint':
      return isSafeInteger(Number(value)) ? Number(value) : new ExactNumber(value.toString());
    case 'object':
      return objectToJson(value);
    default:
      throw new ExpressionError('expression_type', `The result is ${describe(value)}, not JSON`);
  }
};

const objectToJson = (value: object | null): Json => {
  if (value === null || value instanceof ExactNumber) return value;
  if (isArray(value)) return mapList(value, toJson);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Optional) return value.hasValue() ? toJson(value.value()) : null;
  if (isPlain(value)) return mapObject(value, toJson);
  if (isDuration(value)) return value.toString();
  if (isUnsigned(value)) return toJson(value.valueOf());
  throw new ExpressionError('expression_type', `The result is ${describe(value)}, not JSON`);
};

export const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = getPrototypeOf(value);
  return prototype === objectPrototype || prototype === null;
};
/** The library does not export these two classes; their tags are part of its text output. */
const isDuration = (value: object): boolean => Reflect.get(value, Symbol.toStringTag) === 'google.protobuf.Duration';
const isUnsigned = (value: object): boolean => typeof value.valueOf() === 'bigint';

/** Maps and keeps the original list when nothing changed, so that large inputs are passed through without a copy. */
const mapList = <T>(list: readonly unknown[], map: (value: unknown) => T): T[] => {
  meter.charge(1 + list.length / 8);
  let copy: T[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const mapped = map(list[index]);
    if (!copy && mapped !== list[index]) copy = list.slice(0, index) as T[]; // the items so far are their own images
    copy?.push(mapped);
  }
  return copy ?? (list as T[]);
};

const mapObject = <T>(object: Record<string, unknown>, map: (value: unknown) => T): Record<string, T> => {
  const entries = Object.entries(object);
  meter.charge(1 + entries.length / 8);
  if (entries.every(([, value]) => isUnchanging(value))) return object as Record<string, T>;
  const mapped = entries.map(([key, value]) => [key, map(value)] as const);
  return mapped.every(([, value], index) => value === entries[index]?.[1]) ? (object as Record<string, T>) : Object.fromEntries(mapped);
};
const isUnchanging = (value: unknown): boolean => typeof value === 'string' || typeof value === 'boolean' || value === null;

/** For messages: what kind of value this is, in JSON's words. */
export const describe = (value: unknown): string => {
  if (value === null) return 'null';
  if (isArray(value)) return 'a list';
  if (typeof value === 'object') return value instanceof ExactNumber ? 'a number' : isPlain(value) ? 'a map' : 'a special value';
  if (typeof value === 'bigint') return 'a number';
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `a ${typeof value}` : 'no value';
};
