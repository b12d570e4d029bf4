import { ExactNumber } from '@foldwork/events/contracts';
import type { Environment } from '@marcbachmann/cel-js';
import { describe, toCel, toComparable, toNumeric } from './cel-values';
import { meter } from './cost-meter';
import { ExpressionError } from './expression-error';
import { addNumbers } from './number-operators';

type List = readonly unknown[];
type ListFunction = (list: List, ...rest: unknown[]) => unknown;

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;

/** Numbers with numbers, strings with strings; anything else has no order. */
const compare = (left: unknown, right: unknown): number => {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  if (!isNumber(left) || !isNumber(right))
    throw new ExpressionError('expression_type', `Cannot order ${describe(left)} and ${describe(right)}`);
  const [a, b] = [toNumeric(left), toNumeric(right)];
  return a < b ? -1 : a > b ? 1 : 0;
};

const extreme = (name: string, sign: 1 | -1): ListFunction => (list) => {
  if (list.length === 0) throw new ExpressionError('expression_error', `${name} of an empty list`);
  return toCel(list.reduce((best, value) => (compare(value, best) * sign > 0 ? value : best)));
};

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || value === null || isNumber(value)) return String(value);
  throw new ExpressionError('expression_type', `Cannot join ${describe(value)}`);
};

const join: ListFunction = (list, separator = '') => {
  const texts = list.map(text);
  for (const part of texts) meter.chargeText(part);
  meter.charge((list.length * String(separator).length) / 32);
  return texts.join(String(separator));
};

/** Two values with one key are equal in CEL: 1 and 1.0, maps whatever the order of their keys. */
const identityKey = (value: unknown): string => {
  const plain = toComparable(value);
  if (isNumber(plain)) return `n${String(plain)}`;
  if (Array.isArray(plain)) return `[${plain.map(identityKey).join()}]`;
  if (typeof plain === 'object' && plain !== null) {
    const entries = Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${identityKey(member)}`).join()}}`;
  }
  return JSON.stringify(plain);
};

/** Plain numbers are added as they are until the sum leaves the safe range; then exactly. */
const sum: ListFunction = (list) => {
  let [plain, index] = [0, 0];
  for (; index < list.length; index++) {
    const value = list[index];
    const next = typeof value === 'number' ? plain + value : NaN;
    if (!(next <= MAX_SAFE_INTEGER && next >= -MAX_SAFE_INTEGER)) break;
    plain = next;
  }
  return list.slice(index).map(toNumeric).reduce(addNumbers, plain);
};
const { MAX_SAFE_INTEGER } = Number;

const distinct: ListFunction = (list) => {
  const seen = new Map<string, unknown>();
  for (const value of list) {
    const key = identityKey(value);
    if (!seen.has(key)) seen.set(key, value);
  }
  return [...seen.values()];
};

const FUNCTIONS: Readonly<Record<string, ListFunction>> = {
  sum,
  min: extreme('min', -1),
  max: extreme('max', 1),
  sort: (list) => list.map(toCel).sort(compare),
  distinct,
  flatten: (list) => list.flatMap((value) => value),
};

/** `sum(list)` and `list.sum()`, likewise min, max, sort, distinct, flatten; `list.join(separator)` for any scalars. */
export const registerListFunctions = (environment: Environment): void => {
  for (const [name, run] of Object.entries(FUNCTIONS)) {
    const metered = (list: List): unknown => {
      meter.chargeValue(list, 2);
      return run(list);
    };
    environment.registerFunction(`${name}(list): dyn`, metered, { async: false } as never);
    environment.registerFunction(`list.${name}(): dyn`, metered, { async: false } as never);
  }
  environment.registerFunction('join(list): string', join);
  environment.registerFunction('join(list, string): string', join);
  environment.registerFunction('list.joinAll(): string', join);
  environment.registerFunction('list.joinAll(string): string', join);
};
