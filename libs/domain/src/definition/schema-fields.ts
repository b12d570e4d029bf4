import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import { DurationError, parseDuration } from './duration';
import type { Env, JsonSchema, RetryOverride, Transition, Undo } from './task.definition';

/**
 * The pieces that schemas of task types are made of. Descriptions end up in editors and in the reference. All of them are
 * functions: a service that never checks a definition need not build the schemas, nor load the library for it.
 */

/**
 * A strict object. Its message for unknown fields is the list of known ones as JSON: from it comes "did you mean".
 */
export const strict = <S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? JSON.stringify(Object.keys(shape)) : undefined) });

const refuse = (context: z.core.$RefinementCtx, code: string, message: string): typeof z.NEVER => {
  context.issues.push({ code: 'custom', message, params: { code }, input: context.value });
  return z.NEVER;
};
export { refuse };

/** Any JSON; the parsers in front have made sure that it is. */
export const json = (): z.ZodType<Json> => z.any();
/** JSON whose strings may contain `${ CEL }`. */
export const data = (text: string): z.ZodType<Json> => json().describe(`${text} Data: strings may contain \${ CEL }.`);
export const expression = (text: string): z.ZodString => nonBlank().describe(`${text} CEL.`);
export const nonBlank = (): z.ZodString =>
  z.string().max(8192).regex(/\S/, { error: 'This may not be blank' });
export const text = (description: string): z.ZodString => z.string().max(8192).describe(description);

export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const taskId = (): z.ZodString => z
  .string()
  .regex(ID_PATTERN, { error: 'An id has 1 to 64 letters, digits, "-" or "_" and begins with a letter or digit' })
  .refine((id) => id !== 'end', { error: '"end" is not an id: it ends the list in `next`' })
  .describe('Unique in its list; letters, digits, "-", "_".');
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
export const name = (description: string): z.ZodString =>
  z.string().regex(NAME_PATTERN, { error: 'A name has 1 to 128 letters, digits, ".", "-" or "_"' }).describe(description);

const asDuration = (value: string | number, context: z.core.$RefinementCtx): number => {
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof DurationError) return refuse(context, 'invalid_duration', error.message);
    throw error;
  }
};
/** Editors get a pattern; the parser decides. */
const durationText = (pattern: string): z.ZodType<string | number> =>
  z.union([z.string().meta({ pattern }), z.number().meta({ minimum: 0 })], { error: 'Expected a duration such as 30s or 1m30s' });
const DURATION = '^\\s*(\\d+(\\.\\d+)?\\s*[A-Za-z]+(\\s*,|\\s+and)?\\s*)+$';

/** → milliseconds. */
export const duration = (description: string, minimumMs = 0): z.ZodType<number> =>
  durationText(DURATION)
    .transform(asDuration)
    .refine((ms) => ms >= minimumMs, { error: `At least ${minimumMs} ms`, params: { code: 'invalid_duration' } })
    .describe(`${description} Duration: 30s, 1m30s, "1 day 2 hours", or milliseconds.`);

/** A duration, or a string with `${ CEL }` that gives one when it is needed. */
export const lateDuration = (description: string, minimumMs = 0): z.ZodType<number | string> =>
  durationText(`\\$\\{|${DURATION}`)
    .transform((value, context) => (typeof value === 'string' && value.includes('${') ? value : asDuration(value, context)))
    .refine((value) => typeof value === 'string' || value >= minimumMs, { error: `At least ${minimumMs} ms`, params: { code: 'invalid_duration' } })
    .describe(`${description} Duration, or \${ CEL } that gives one.`);

export const count = (description: string, minimum: number, maximum = 1_000_000): z.ZodNumber =>
  z.int().min(minimum).max(maximum).describe(description);

export const jsonSchema = (): z.ZodType<JsonSchema> => z
  .union([z.boolean(), z.record(z.string(), json())], { error: 'Expected a JSON Schema' })
  .describe('A JSON Schema.');

export const env = (): z.ZodType<Env> => z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, { error: 'A variable has letters, digits and "_"' }), z.union([z.string(), z.number(), z.boolean()], { error: 'Expected text, a number or true/false' }))
  .describe('Constants, readable as `env.<name>`; document < container < task.');

export const retry = (): z.ZodType<RetryOverride> => strict({
  maximumAttempts: count('Attempts in all, the first included. Default 3.', 1, 10_000).exactOptional(),
  initialInterval: duration('Delay before the second attempt. Default 1s.').exactOptional(),
  backoffCoefficient: z.number().min(1).max(100).describe('Each delay is this times the one before. Default 2.').exactOptional(),
  maximumInterval: duration('No delay is longer. Default 1m.').exactOptional(),
  nonRetryableErrors: z.array(nonBlank()).max(100).describe('Error codes that are final at once.').exactOptional(),
}).describe('How failures are retried; document < task, field by field.');
export const retries = (): z.ZodNumber => count('Short for `retry.maximumAttempts` = this + 1.', 0, 9_999);

export const targetId = (): z.ZodString => z.string().min(1).describe('Id of a task of the same list, or `end`.');
export const transition = (description: string): z.ZodType<Transition> =>
  strict({ next: targetId().exactOptional(), with: data('Laid over the target\'s own `with`.').exactOptional() }).describe(description);

export const undo = (): z.ZodType<Undo> => z
  .union(
    [
      strict({ action: nonBlank(), with: data('Input; sees `output`.').exactOptional() }),
      strict({ by: z.string().min(1).describe('The task whose undo covers this one.') }),
    ],
    { error: 'Expected {action, with} or {by}' },
  )
  .describe('How to compensate the finished task.');

/** What every type has. */
export const commonFields = () => ({
  id: taskId(),
  title: text('For people.').exactOptional(),
  description: text('For people.').exactOptional(),
  when: expression('False: the task is skipped.').exactOptional(),
  outputs: z.record(z.string().min(1).max(128), data('')).describe('Reshapes the result: it has exactly these keys. Sees `output`.').exactOptional(),
  output: jsonSchema().describe('JSON Schema the result must satisfy.').exactOptional(),
  retry: retry().exactOptional(),
  retries: retries().exactOptional(),
  timeout: duration('Limit of one attempt. Default 5m.', 1).exactOptional(),
  scheduleTimeout: duration('Limit until an executor picks it up.', 1).exactOptional(),
  heartbeat: duration('Longest silence of a running attempt.', 1).exactOptional(),
  onSuccess: transition('Where to go after success, and with what. Default: list order.').exactOptional(),
  onError: transition('Taken after the retries are used up; a failure so handled does not fail the run.').exactOptional(),
  sleep: duration('Pause after the task, before its successor.').exactOptional(),
  final: z.boolean().describe('The list ends after this task.').exactOptional(),
  undo: undo().exactOptional(),
  maxVisits: count('Needed on a task that a backward `next` reaches; bounds the loop.', 1, 10_000).exactOptional(),
  env: env().exactOptional(),
});
