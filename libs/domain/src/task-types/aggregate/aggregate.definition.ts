import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import { commonFields, json, nonBlank, strict } from '../../definition/schema-fields';
import type { Fault, TaskTypeDefinition } from '../../definition/task-type.definition';
import type { TimedTask } from '../../definition/task.definition';

/** Data with `${ CEL }`: a list whose members are the sources, or one string that gives such a list. */
export type Sources = string | readonly Json[];

/** Computes a value in the engine: exactly one of `outputs`, `merge`, `concat`. */
export interface AggregateTask extends Omit<TimedTask, 'sleep'> {
  readonly type: 'aggregate';
  /** Maps; later sources win with `last` (default), earlier with `first`. */
  readonly merge?: { readonly sources: Sources; readonly conflict?: 'first' | 'last' | 'error' };
  /** Lists, in the order of the sources. */
  readonly concat?: { readonly sources: Sources };
}

const sources = () => z
  .union([z.array(json()).min(1).max(1000), nonBlank()], { error: 'Expected a list of sources' })
  .describe('A list whose members are the sources, or one ${ CEL } that gives it.');

const ALTERNATIVES = ['outputs', 'merge', 'concat'] as const;
const checkAlternatives = (task: AggregateTask): Fault[] => {
  const present = ALTERNATIVES.filter((field) => task[field] !== undefined);
  if (present.length === 0) return [{ at: [], code: 'missing_field', message: 'An aggregate needs `outputs`, `merge` or `concat`' }];
  if (present.length > 1) return present.slice(1).map((field) => ({ at: [field], code: 'conflicting_fields', message: `An aggregate has only one of ${present.join(' and ')}` }));
  const isEmpty = task.outputs !== undefined && Object.keys(task.outputs).length === 0;
  return isEmpty ? [{ at: ['outputs'], code: 'invalid_value', message: 'At least one output' }] : [];
};

const fields = () => {
  const { sleep: _noSleep, ...rest } = commonFields();
  return rest;
};

export const aggregateTaskType: TaskTypeDefinition<AggregateTask> = {
  type: 'aggregate',
  summary: 'Computes a value from earlier results; the engine does it within 30 seconds, no action runs.',
  schema: () =>
    strict({
      ...fields(),
      type: z.literal('aggregate'),
      merge: strict({ sources: sources(), conflict: z.enum(['first', 'last', 'error']).describe('Which value an equal key gets. Default last.').exactOptional() })
        .describe('Maps into one.')
        .exactOptional(),
      concat: strict({ sources: sources() }).describe('Lists into one, in order.').exactOptional(),
    }),
  expressions: () => [
    { at: ['merge', 'sources'], kind: 'template' },
    { at: ['concat', 'sources'], kind: 'template' },
  ],
  check: checkAlternatives,
};
