import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import type { TaskDefinition } from '../../definition/definition';
import { commonFields, data, name, strict } from '../../definition/schema-fields';
import type { Fault, TaskTypeDefinition } from '../../definition/task-type.definition';
import type { TimedTask } from '../../definition/task.definition';

/** Runs its tasks one after another, or another workflow as a child run: exactly one of `tasks` and `workflow`. */
export interface CompositeTask extends TimedTask {
  readonly type: 'composite';
  readonly tasks?: readonly TaskDefinition[];
  readonly workflow?: string;
  /** The children's `with` beneath their own; the input of the child run. */
  readonly with?: Json;
  readonly rollback?: 'onFailure';
}

const checkAlternatives = (task: CompositeTask): Fault[] => {
  if (task.tasks && task.workflow !== undefined) return [{ at: ['workflow'], code: 'conflicting_fields', message: 'A composite has either `tasks` or `workflow`' }];
  return task.tasks || task.workflow !== undefined ? [] : [{ at: [], code: 'missing_field', message: 'A composite needs `tasks` or `workflow`' }];
};

export const compositeTaskType: TaskTypeDefinition<CompositeTask> = {
  type: 'composite',
  summary: 'Runs its tasks one after another, or another workflow as a child run.',
  schema: (kit) =>
    strict({
      ...commonFields(),
      type: z.literal('composite'),
      tasks: kit.tasks.describe('One after another; at least one.').exactOptional(),
      workflow: name('The workflow that runs as a child.').exactOptional(),
      with: data('Beneath the `with` of the tasks; the input of the child run.').exactOptional(),
      rollback: z.literal('onFailure').describe('Undo what finished, last first, when the composite fails.').exactOptional(),
    }) as unknown as z.ZodType<CompositeTask>, // the tasks are typed as any registered task
  childLists: ({ tasks }) => (tasks ? [{ at: ['tasks'], tasks, order: 'sequence', visibility: 'children' }] : []),
  expressions: () => [{ at: ['with'], kind: 'template' }],
  check: checkAlternatives,
};
