import type { Json } from '@foldwork/events/contracts';
import type { TaskDefinition } from '../../definition/definition';
import type { Strategy, TimedTask } from '../../definition/task.definition';

/** Runs its tasks at the same time. */
export interface ParallelTask extends TimedTask {
  readonly type: 'parallel';
  readonly tasks: readonly TaskDefinition[];
  readonly with?: Json;
  readonly strategy?: Strategy;
  /** 0 or absent: no limit of its own. */
  readonly maxWorkers?: number;
}
