import type { z } from 'zod';
import { suggest } from './did-you-mean';
import type { Fault, Segment } from './task-type.definition';

/** `at` names a key that should not be there: the fault is at the key, not at its value. */
export type SchemaFault = Fault & { readonly isKey?: boolean };

type Issue = z.core.$ZodIssue;

/** What the schema found, one fault per fault, in our codes. `value` is what was parsed. */
export const faultsOfIssues = (issues: readonly Issue[], value: unknown): SchemaFault[] =>
  issues.flatMap((issue) => faultsOf(issue, [], value));

const faultsOf = (issue: Issue, base: readonly Segment[], value: unknown): SchemaFault[] => {
  const at = [...base, ...issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(key, at, issue.message));
    case 'invalid_union':
      return unionFaults(issue, at, value);
    case 'invalid_type':
      return [valueAt(value, at) === undefined ? missingField(at) : { at, code: 'wrong_type', message: `Expected ${EXPECTED[issue.expected] ?? issue.expected}` }];
    case 'invalid_value':
      return [choiceFault(issue, at, value)];
    case 'invalid_key':
      return [{ at, code: 'invalid_value', message: issue.issues[0]?.message ?? issue.message, isKey: true }];
    case 'custom':
      return [valueAt(value, at) === undefined ? missingField(at) : { at, code: codeOf(issue.params), message: issue.message }];
    default:
      return [{ at, code: 'invalid_value', message: issue.message }];
  }
};

const EXPECTED: Readonly<Record<string, string>> = { object: 'a map', record: 'a map', array: 'a list', string: 'text', int: 'a whole number', number: 'a number', boolean: 'true or false' };

const codeOf = (params: Record<string, unknown> | undefined): string => (typeof params?.['code'] === 'string' ? params['code'] : 'invalid_value');

const missingField = (at: readonly Segment[]): SchemaFault => ({
  at: at.slice(0, -1),
  code: 'missing_field',
  message: `\`${String(at.at(-1))}\` is missing`,
});

/** The message is the list of known fields: see `strict` in schema-fields.ts. */
const unknownField = (key: string, at: readonly Segment[], known: string): SchemaFault => ({
  at: [...at, key],
  code: 'unknown_field',
  message: `Unknown field "${key}"`,
  ...suggest(key, JSON.parse(known) as string[]),
  isKey: true,
});

const choiceFault = (issue: Extract<Issue, { code: 'invalid_value' }>, at: readonly Segment[], value: unknown): SchemaFault => {
  const given = valueAt(value, at);
  if (given === undefined) return missingField(at);
  const choices = issue.values.map(String);
  return { at, code: 'invalid_value', message: `Expected ${choices.map((choice) => `"${choice}"`).join(' or ')}`, ...(typeof given === 'string' ? suggest(given, choices) : {}) };
};

/** The faults of the alternative that was meant: the one whose kind of value fits. */
const unionFaults = (issue: Extract<Issue, { code: 'invalid_union' }>, at: readonly Segment[], value: unknown): SchemaFault[] => {
  if ('discriminator' in issue && issue.discriminator !== undefined) return [unknownType(issue, at, value)];
  const meant = issue.errors.filter((errors) => !errors.some((error) => error.code === 'invalid_type' && error.path.length === 0));
  const fewest = meant.toSorted((left, right) => left.length - right.length)[0];
  if (fewest === undefined) return [valueAt(value, at) === undefined ? missingField(at) : { at, code: 'wrong_type', message: issue.message }];
  return fewest.flatMap((error) => faultsOf(error, at, value));
};

const unknownType = (issue: Extract<Issue, { code: 'invalid_union' }>, at: readonly Segment[], value: unknown): SchemaFault => {
  const given = valueAt(value, at);
  if (given === undefined) return missingField(at);
  const known = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  return { at, code: 'unknown_task_type', message: `Unknown task type ${JSON.stringify(given)}`, ...(typeof given === 'string' ? suggest(given, known) : {}) };
};

/** The member at a path, `undefined` when there is none. */
export const valueAt = (value: unknown, at: readonly Segment[]): unknown =>
  at.reduce<unknown>((inner, segment) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, segment)) return undefined;
    return (inner as Readonly<Record<Segment, unknown>>)[segment];
  }, value);
