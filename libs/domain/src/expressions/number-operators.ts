import { ExactNumber } from '@foldwork/events/contracts';
import type { Environment } from '@marcbachmann/cel-js';
import { toNumeric } from './cel-values';
import { ExpressionError } from './expression-error';

type Numeric = bigint | number;
type Arithmetic = '+' | '-' | '*' | '/' | '%';

const DOUBLES: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};
const INTEGERS: Readonly<Partial<Record<Arithmetic, (a: bigint, b: bigint) => bigint>>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '%': (a, b) => a % b,
};

/** A double beyond 2^53 stands for its neighbours too: it is not known to be whole. */
const { isSafeInteger, MAX_SAFE_INTEGER } = Number;
const isWhole = (value: Numeric): boolean => typeof value === 'bigint' || isSafeInteger(value);

/**
 * Arithmetic over JSON numbers and CEL ints. Whole operands give an exact whole result, however long; `/` with a JSON
 * number on either side divides like JSON numbers (`7 / 2` in literals stays CEL's 3, `input.n / 2` may be 3.5).
 */
export const calculate = (operator: Arithmetic, left: unknown, right: unknown): Numeric => {
  const a = toNumeric(left);
  const b = toNumeric(right);
  if (operator === '/' || operator === '%') refuseZero(operator, b);
  const result = DOUBLES[operator](Number(a), Number(b));
  const isPlain = typeof a === 'number' && typeof b === 'number' && result <= MAX_SAFE_INTEGER && result >= -MAX_SAFE_INTEGER;
  if (isPlain) return result; // of whole operands this is whole and exact
  const exact = INTEGERS[operator];
  return exact && isWhole(a) && isWhole(b) ? exact(BigInt(a), BigInt(b)) : result;
};

const refuseZero = (operator: '/' | '%', divisor: Numeric): void => {
  if (divisor === 0 || divisor === 0n) throw new ExpressionError('expression_error', operator === '/' ? 'Division by zero' : 'Modulo by zero');
};

export const addNumbers = (left: Numeric, right: Numeric): Numeric => calculate('+', left, right);

const COMPARISONS: Readonly<Record<string, (a: Numeric, b: Numeric) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a >= b && a <= b, // `===` would tell 1n from 1
};

const TYPES = ['int', 'double', 'decimal'] as const;
type Type = (typeof TYPES)[number];
const ARITHMETIC = ['+', '-', '*', '/', '%'] as const;

/** Registers what the library leaves out: int with double in both orders, `%` on doubles, exact decimals with all. */
export const registerNumberOperators = (environment: Environment): void => {
  environment.registerType('decimal', { ctor: ExactNumber, fields: {} });
  for (const left of TYPES) for (const right of TYPES) registerPair(environment, left, right);
  environment.registerFunction('string(decimal): string', (value: ExactNumber) => value.text);
  environment.registerFunction('double(decimal): double', (value: ExactNumber) => Number(value.text));
  environment.registerFunction('int(decimal): int', (value: ExactNumber) => BigInt(Math.trunc(Number(value.text))));
  environment.registerOperator('-decimal', (value: ExactNumber) => new ExactNumber(value.text.startsWith('-') ? value.text.slice(1) : `-${value.text}`));
};

const registerPair = (environment: Environment, left: Type, right: Type): void => {
  for (const operator of ARITHMETIC) {
    const isBuiltIn = left === right && left !== 'decimal' && !(left === 'double' && operator === '%');
    if (!isBuiltIn) environment.registerOperator(`${left} ${operator} ${right}: dyn`, (a: unknown, b: unknown) => calculate(operator, a, b));
  }
  for (const [operator, compare] of Object.entries(COMPARISONS)) {
    if (isComparedByLibrary(left, operator, right)) continue;
    environment.registerOperator(`${left} ${operator} ${right}`, (a: unknown, b: unknown) => compare(toNumeric(a), toNumeric(b)));
  }
};

/** The library has the orders of int and double, and takes `==` for both orders of its operands. */
const isComparedByLibrary = (left: Type, operator: string, right: Type): boolean => {
  if (operator === '==') return TYPES.indexOf(left) > TYPES.indexOf(right) || (left === right && left !== 'decimal');
  return left !== 'decimal' && right !== 'decimal';
};
