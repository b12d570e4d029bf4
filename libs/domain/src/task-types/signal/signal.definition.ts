import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import { commonFields, data, nonBlank, strict } from '../../definition/schema-fields';
import type { TaskTypeDefinition } from '../../definition/task-type.definition';
import type { TimedTask } from '../../definition/task.definition';

/** Delivers a signal to waiting tasks, starts workflows with such a trigger and publishes it on the bus. */
export interface SignalTask extends TimedTask {
  readonly type: 'signal';
  readonly signal: {
    /** Name of the signal; may contain `${ CEL }`. */
    readonly id: string;
    readonly payload?: Json;
    /** Texts with `${ CEL }`; absent: all runs. */
    readonly to?: { readonly run?: string; readonly correlationId?: string };
  };
}

export const signalTaskType: TaskTypeDefinition<SignalTask> = {
  type: 'signal',
  summary: 'Delivers a signal to waiting tasks, starts workflows that it triggers and publishes it on the bus.',
  schema: () =>
    strict({
      ...commonFields(),
      type: z.literal('signal'),
      signal: strict({
        id: nonBlank().describe('Name of the signal. Text with ${ CEL }.'),
        payload: data('What it carries. Default {}.').exactOptional(),
        to: strict({
          run: nonBlank().describe('Only this run. Text with ${ CEL }.').exactOptional(),
          correlationId: nonBlank().describe('Only waits with this correlation id. Text with ${ CEL }.').exactOptional(),
        }).describe('Absent: all runs.').exactOptional(),
      }),
    }),
  expressions: () => [
    { at: ['signal', 'id'], kind: 'template' },
    { at: ['signal', 'payload'], kind: 'template' },
    { at: ['signal', 'to'], kind: 'template' },
  ],
};
