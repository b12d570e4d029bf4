import type {
  AwaitedSignal, DefinitionHash, FailureDetail, Json, JsonObject, Lineage, PlannedChildren, RecordedEffect, RunId, RunRequested, StartedRun, TaskPath, TaskStatus,
} from '@foldwork/events/contracts';

/**
 * What the log says about one run. Built by `foldRun` and `applyEvent` only. A fold owns its state and changes it in
 * place (10,000 children must not be copied per event); whoever holds a state treats it as a value and never writes it.
 */
export type RunStatus =
  | 'pending' | 'running' | 'awaiting_approval' | 'succeeded' | 'failed' | 'rolling_back' | 'rolled_back' | 'canceled' | 'escalated';

export interface RunState {
  readonly runId: RunId;
  readonly namespace: string;
  readonly workflow: string;
  readonly definition: DefinitionHash;
  readonly input: Json;
  readonly request: RunRequested;
  /** Where its request came from; decides nothing. */
  readonly lineage?: Lineage;
  status: RunStatus;
  /** Version of the run's own stream. */
  version: number;
  /** Of the last event applied; an event at or before it is skipped. */
  position: number;
  /** How many events were folded: the number people see as the run's version. */
  eventCount: number;
  attempt: number;
  planned: boolean;
  admitted: boolean;
  paused: boolean;
  cancel?: { readonly reason?: string };
  error?: FailureDetail;
  failedTask?: TaskPath;
  /** When a failed run is retried by itself. */
  retryAt?: number;
  output?: Json;
  startedAt?: number;
  /** A person had it tried again then: the time limit counts from here. */
  limitFrom?: number;
  endedAt?: number;
  /** Ids of the root list, in order. */
  rootTasks: readonly string[];
  readonly tasks: Map<TaskPath, TaskState>;
  /** Basic tasks whose attempt is with an executor right now. */
  readonly executing: Set<TaskPath>;
  /** Tasks in status `waiting`. */
  readonly waiting: Set<TaskPath>;
  readonly signals: Map<string, SignalState>;
  /** Signals that no task used up, by name, in order of arrival. */
  readonly inbox: Map<string, Set<string>>;
  /** Runs that tasks wait for, or that must still be told that nobody waits any more. */
  readonly childRuns: Map<RunId, TaskPath>;
  /** Of the root list: the task that ended last. */
  lastEnded?: TaskPath;
  rollback?: RollbackState;
  /** Lists and containers whose children changed since somebody last decided. */
  readonly dirty: Set<TaskPath>;
  /** When which list or container must be looked at again; set by deciding, empty after a fold. */
  readonly wakes: Map<TaskPath, number>;
  /** First tasks of segments that somebody was asked to run, by the list or container they stand in; empty after a fold. */
  readonly handed: Map<TaskPath, Map<TaskPath, HandedOut>>;
  /** Signals that a wait looked at and refused, so that it does not look again; empty after a fold. */
  readonly refused: Map<TaskPath, Set<string>>;
}

export interface HandedOut {
  readonly version: number;
  /** When it was first handed out at this version, or the run went on after a pause, milliseconds since 1970. */
  since: number;
  /** False: must be sent again, because the command may be lost. */
  isSent: boolean;
}

export interface TaskState {
  readonly path: TaskPath;
  readonly type: string;
  status: TaskStatus;
  /** Version of the task's own stream. */
  version: number;
  attempt: number;
  /** Attempts before the present budget: a retried run gives its tasks a fresh one. */
  attemptsBefore: number;
  /** Attempts of the present budget whose executor vanished. */
  lost: number;
  executor?: string;
  startedAt?: number;
  endedAt?: number;
  input?: Json;
  output?: Json;
  error?: FailureDetail;
  /** Its last attempt was taken from its executor then, which may not have heard of it at once. */
  takenAt?: number;
  sideEffects?: JsonObject;
  effect?: RecordedEffect;
  verify?: 'first' | 'only';
  next?: { readonly task: string; readonly with?: Json };
  until?: number;
  signalId?: string;
  waitsFor?: readonly AwaitedSignal[];
  childRun?: StartedRun;
  children?: ChildrenState;
  /** Its children are being undone; afterwards it ends as failed. Stays when it has. */
  rollback?: RollbackState;
  undo?: 'started' | 'completed' | 'failed';
  undoAttempt?: number;
  /** Tries whose executor vanished. */
  undoLost?: number;
  undoEndedAt?: number;
  undoError?: FailureDetail;
}

/** A container's view of its children: counts are kept as events come, so that deciding costs the same for any number. */
export interface ChildrenState {
  plan: PlannedChildren;
  /** Of a container whose children have ids. */
  readonly indexById: ReadonlyMap<string, number>;
  readonly counts: Record<TaskStatus, number>;
  /** Every child before this index has begun at least once, was handed out, or is in `again`. */
  firstFree: number;
  /** Children that went back to pending, by index. */
  readonly again: Set<number>;
  /** Children that failed or timed out; those that will not be tried again are taken out by deciding. */
  readonly unsettled: Set<TaskPath>;
  /** The child that ended last: the one a list failed by. */
  lastEnded?: TaskPath;
}

export interface SignalState {
  readonly signal: string;
  readonly signalId: string;
  readonly payload: Json;
  readonly correlationId?: string;
  readonly at: number;
  /** 0 for the first signal of the run. */
  readonly order: number;
  consumed: boolean;
}

export interface RollbackState {
  readonly tasks: readonly TaskPath[];
  readonly error: FailureDetail;
}

export const isOpenRun = (run: RunState): boolean =>
  run.status === 'pending' || run.status === 'running' || run.status === 'awaiting_approval' || run.status === 'rolling_back';
