import type { Json } from '@foldwork/events/contracts';
import type { TaskDefinition } from '../../definition/definition';
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
