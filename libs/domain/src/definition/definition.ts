import type { Json } from '@foldwork/events/contracts';
import type { AggregateTask } from '../task-types/aggregate/aggregate.definition';
import type { BasicTask } from '../task-types/basic/basic.definition';
import type { CollectionTask } from '../task-types/collection/collection.definition';
import type { CompositeTask } from '../task-types/composite/composite.definition';
import type { ParallelTask } from '../task-types/parallel/parallel.definition';
import type { RouterTask } from '../task-types/router/router.definition';
import type { SignalTask } from '../task-types/signal/signal.definition';
import type { WaitTask } from '../task-types/wait/wait.definition';
import type { Env, JsonSchema, RetryOverride } from './task.definition';

/** The eight task types by name. */
export interface TaskDefinitionByType {
  readonly basic: BasicTask;
  readonly wait: WaitTask;
  readonly signal: SignalTask;
  readonly router: RouterTask;
  readonly parallel: ParallelTask;
  readonly collection: CollectionTask;
  readonly composite: CompositeTask;
  readonly aggregate: AggregateTask;
}
export type TaskDefinition = TaskDefinitionByType[keyof TaskDefinitionByType];

export interface Lane {
  /** CEL. */
  readonly key: string;
  readonly limit: number;
}
export interface BreakerSettings {
  /** Consecutive failures that open it; default 5. */
  readonly failures?: number;
  /** Milliseconds from opening to half-open; default 30 s. */
  readonly recovery?: number;
  /** Successes that close it; default 2. */
  readonly successes?: number;
}
export interface Trigger {
  readonly signal: string;
  readonly schema?: JsonSchema;
}

/**
 * A checked and normalised definition: durations in milliseconds, `retries` resolved into `retry`, inline tasks with ids.
 * Plain JSON, and a fixed point: checking it again gives the same object and the same hash.
 */
export interface Definition {
  readonly workflow: string;
  readonly title?: string;
  readonly description?: string;
  readonly input?: JsonSchema;
  readonly env?: Env;
  readonly lane?: Lane;
  readonly breakers?: Readonly<Record<string, BreakerSettings>>;
  readonly retry?: RetryOverride;
  /** Limit of the whole run in milliseconds. */
  readonly timeout?: number;
  readonly rollback?: 'onFailure';
  readonly triggers?: readonly Trigger[];
  readonly tasks: readonly TaskDefinition[];
  /** Data with `${ CEL }`. */
  readonly output?: Json;
}
