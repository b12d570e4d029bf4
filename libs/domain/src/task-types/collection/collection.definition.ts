import type { Json } from '@foldwork/events/contracts';
import type { TaskDefinition } from '../../definition/definition';
import type { Strategy, TimedTask } from '../../definition/task.definition';

/** Runs `each` once per item. */
export interface CollectionTask extends TimedTask {
  readonly type: 'collection';
  /** CEL, a range such as `1..10`, a string with `${ CEL }`, or a literal list or map (data). See `itemsTemplate`. */
  readonly items: Json;
  /** CEL over `item` and `index` of the unfiltered list. */
  readonly filter?: string;
  readonly each: readonly TaskDefinition[];
  readonly with?: Json;
  readonly mode?: 'parallel' | 'sequential';
  /** Size of the groups that run one after another. */
  readonly batch?: number;
  readonly strategy?: Strategy;
  readonly maxWorkers?: number;
  readonly itemVar?: string;
  readonly indexVar?: string;
}
