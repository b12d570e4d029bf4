import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';
import { meter } from './cost-meter';
import { ExpressionError } from './expression-error';

const MAX_PATTERN_LENGTH = 1000;
/** Instructions of the matcher that cost as much as one node of an expression. */
const INSTRUCTIONS_PER_UNIT = 10;
/** Charged before a pattern is compiled, so that an exhausted evaluation compiles no more. */
const COMPILE_UNITS = 2000;

const compiled = new LRUCache<string, RE2JS>({ max: 500 });

const compile = (pattern: string): RE2JS => {
  const known = compiled.get(pattern);
  if (known) return known;
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new ExpressionError('expression_limit', `A pattern may have ${MAX_PATTERN_LENGTH} characters`);
  meter.charge(COMPILE_UNITS);
  const fresh = compileText(pattern);
  meter.charge(fresh.programSize() * 10);
  compiled.set(pattern, fresh);
  return fresh;
};
const compileText = (pattern: string): RE2JS => {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new ExpressionError('expression_error', `Invalid pattern: ${(error as Error).message}`); // re2js throws Errors only
  }
};

/** Whether the pattern (RE2 syntax) is found anywhere in the text; time is linear in the text. */
export const matchesLinear = (text: string, pattern: string): boolean => {
  const regex = compile(pattern);
  meter.charge((text.length * regex.programSize()) / INSTRUCTIONS_PER_UNIT);
  return regex.test(text);
};
