import { z } from 'zod';
import type { Definition } from './definition';
import {
  count, data, duration, env, expression, jsonSchema, name, nonBlank, refuse, retries, retry, strict, text,
} from './schema-fields';
import type { SchemaKit, TaskTypeDefinition } from './task-type.definition';
import type { RetryOverride, TaskCommon } from './task.definition';

export const MAX_TASKS_PER_LIST = 10_000;

interface HasRetries {
  readonly retry?: RetryOverride;
  readonly retries?: number;
}
/** `retries: n` is short for `retry.maximumAttempts: n + 1`; both at once contradict each other. */
const resolveRetries = <T extends HasRetries>({ retries: given, ...rest }: T, context: z.core.$RefinementCtx): Omit<T, 'retries'> => {
  if (given === undefined) return rest;
  if (rest.retry?.maximumAttempts !== undefined) {
    return refuse(context, 'conflicting_fields', 'Either `retries` or `retry.maximumAttempts`, not both');
  }
  return { ...rest, retry: { ...rest.retry, maximumAttempts: given + 1 } };
};

/** The schema of any task of the given types; tasks inside tasks refer back to it. */
const taskSchema = (types: readonly TaskTypeDefinition[]): SchemaKit => {
  const task: z.ZodType<TaskCommon> = z.lazy(() => union);
  const tasks = z.array(task).min(1, { error: 'At least one task' }).max(MAX_TASKS_PER_LIST);
  const kit: SchemaKit = {
    tasks,
    oneOrMore: z.union([tasks, task.transform((only) => [only])], { error: 'Expected a task or a list of tasks' }),
    inlineTask: memoized((defaultId) => inlineTask(task, defaultId)),
  };
  const options = types.map((type) => type.schema(kit).meta({ id: `${type.type}Task`, description: type.summary }));
  const discriminated = z.discriminatedUnion('type', options as unknown as [z.core.$ZodTypeDiscriminable]); // each has a literal `type`
  const union = (discriminated as z.ZodType<TaskCommon & HasRetries>).transform(resolveRetries).meta({ id: 'task' });
  return kit;
};

const inlineTask = (task: z.ZodType<TaskCommon>, defaultId: string): z.ZodType<TaskCommon> =>
  z
    .looseObject({})
    .transform((value) => (Object.hasOwn(value, 'id') ? value : { id: defaultId, ...value }))
    .pipe(task as z.ZodType<TaskCommon, { [field: string]: unknown }>) // any map is a fair attempt at a task
    .meta({ id: `${INLINE_TASK}-${defaultId}` });
/** Names of the definitions that the editor schema fills in. */
export const INLINE_TASK = 'inlineTask';

/** A schema with an id may exist only once. */
const memoized = <T>(make: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
};

const breaker = () => strict({
  failures: count('Consecutive failures that open it. Default 5.', 1, 1000).exactOptional(),
  recovery: duration('From opening to half-open. Default 30s.', 1).exactOptional(),
  successes: count('Successes that close it. Default 2.', 1, 1000).exactOptional(),
});

const lane = () => strict({
  key: expression('Runs with the same key share the lane.'),
  limit: count('At most so many of them run at a time; the rest queue in order.', 1, 100_000),
}).describe('At most `limit` runs with this key at a time, the rest queue in order.');

const trigger = () => strict({
  signal: nonBlank().describe('The signal that starts a run; its payload is the input.'),
  schema: jsonSchema().describe('JSON Schema of the payload.').exactOptional(),
});

/** The whole document. Parsing gives a `Definition` as far as a schema can tell; the static checks come after it. */
export const documentSchema = (types: readonly TaskTypeDefinition[]): z.ZodType<Definition> => {
  const kit = taskSchema(types);
  const document = strict({
    workflow: name('Name of the workflow.'),
    title: text('For people.').exactOptional(),
    description: text('For people.').exactOptional(),
    input: jsonSchema().describe('JSON Schema of the input, checked when a run is requested.').exactOptional(),
    env: env().exactOptional(),
    lane: lane().exactOptional(),
    breakers: z.record(nonBlank(), breaker()).describe('Circuit breakers that tasks may name.').exactOptional(),
    retry: retry().exactOptional(),
    retries: retries().exactOptional(),
    timeout: duration('Limit of the whole run.', 1).exactOptional(),
    rollback: z.literal('onFailure').describe('Undo finished tasks, last first, when the run fails.').exactOptional(),
    triggers: z.array(trigger()).max(100).describe('Signals that start a run.').exactOptional(),
    tasks: kit.tasks.describe('One after another.'),
    output: data('Result of the run.').exactOptional(),
  });
  return document.transform(resolveRetries).meta({ title: 'Workflow definition' }) as unknown as z.ZodType<Definition>; // tasks are of registered types
};
