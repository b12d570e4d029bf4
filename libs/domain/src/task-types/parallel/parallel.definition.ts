import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import type { TaskDefinition } from '../../definition/definition';
import { commonFields, count, data, strict } from '../../definition/schema-fields';
import type { TaskTypeDefinition } from '../../definition/task-type.definition';
import { STRATEGIES, type Strategy, type TimedTask } from '../../definition/task.definition';

/** Runs its tasks at the same time. */
export interface ParallelTask extends TimedTask {
  readonly type: 'parallel';
  readonly tasks: readonly TaskDefinition[];
  readonly with?: Json;
  readonly strategy?: Strategy;
  /** 0 or absent: no limit of its own. */
  readonly maxWorkers?: number;
}

export const parallelTaskType: TaskTypeDefinition<ParallelTask> = {
  type: 'parallel',
  summary: 'Runs its tasks at the same time.',
  schema: (kit) =>
    strict({
      ...commonFields(),
      type: z.literal('parallel'),
      tasks: kit.tasks.describe('The branches; at least one.'),
      with: data('Beneath the `with` of each branch.').exactOptional(),
      strategy: z.enum(STRATEGIES).describe('When the whole counts as done or failed. Default wait_all.').exactOptional(),
      maxWorkers: count('Branches in flight at most; 0: no own limit.', 0).exactOptional(),
    }) as unknown as z.ZodType<ParallelTask>, // the branches are typed as any registered task
  childLists: ({ tasks }) => [{ at: ['tasks'], tasks, order: 'branches', visibility: 'children' }],
  expressions: () => [{ at: ['with'], kind: 'template' }],
};
