import type { DefinitionHash, RunId, TaskPath } from './ids';
import type { Json, JsonObject } from './json';

/**
 * Every fact the log can hold. Event names are the wire names. Times are milliseconds since 1970, taken by the writer
 * from its clock and stored, so that a replay never reads a clock.
 */
export type TaskStatus =
  | 'pending' | 'assigned' | 'in_progress' | 'waiting'
  | 'completed' | 'failed' | 'escalated' | 'skipped' | 'canceled' | 'timed_out';

/** `begin` is assign and start in one, for an executor's own actions and for tasks that the engine itself runs. */
export type TaskTransition =
  | 'assign' | 'start' | 'complete' | 'fail' | 'escalate' | 'retry'
  | 'begin' | 'wait' | 'skip' | 'cancel' | 'timeOut' | 'resolve';

export type TaskType = 'basic' | 'wait' | 'signal' | 'router' | 'parallel' | 'collection' | 'composite' | 'aggregate';

/** What went wrong, in words for people and a code for rules. */
export interface FailureDetail {
  readonly code: string;
  readonly message: string;
  readonly details?: Json;
}

/** First event of a run: pins the definition by hash and everything else that may never change under it. */
export interface RunRequested {
  readonly workflow: string;
  readonly definition: DefinitionHash;
  readonly input: Json;
  readonly at: number;
  /** Automatic retries of the failed run: how long after the failure, and how many at most. */
  readonly retry: { readonly delayMs: number; readonly maximum: number };
  readonly idempotencyKey?: string;
  /** Hex SHA-256 of the request that used the key: the same key with another request is refused. */
  readonly requestHash?: string;
  readonly lane?: { readonly key: string; readonly limit: number };
  /** The task that waits for this run, when it is a child run. */
  readonly parent?: { readonly runId: RunId; readonly task: TaskPath };
  readonly trigger?: { readonly signal: string; readonly signalId: string };
  /** Version of the orchestrator per task type, for types whose version is not 1. */
  readonly orchestrators?: { readonly [type: string]: number };
}

export interface PlannedTask {
  readonly id: string;
  readonly type: string;
}

export interface RunPlanned {
  /** In list order; `stepOrder` is the index + 1. */
  readonly tasks: readonly PlannedTask[];
  readonly at: number;
}

export interface RunCompleted {
  readonly output: Json;
  readonly at: number;
}

export interface RunFailed {
  readonly error: FailureDetail;
  readonly task?: TaskPath;
  /** When the run is retried without anybody asking; absent: never. */
  readonly retryAt?: number;
  readonly at: number;
}

export interface RunRetried {
  /** 2 for the first retry. */
  readonly attempt: number;
  readonly automatic: boolean;
  /** Tasks that go back to pending; completed ones are never among them. */
  readonly tasks: readonly TaskPath[];
  readonly reason?: string;
  readonly at: number;
}

export interface RunCancelRequested {
  readonly reason?: string;
  readonly at: number;
}
export interface RunCanceled {
  readonly reason?: string;
  readonly at: number;
}
export interface RunPaused {
  readonly reason?: string;
  readonly at: number;
}
export interface RunResumed {
  readonly reason?: string;
  readonly at: number;
}
export interface RunRollbackStarted {
  readonly error: FailureDetail;
  readonly task?: TaskPath;
  /** Finished tasks to undo, in the order in which they are undone. */
  readonly tasks: readonly TaskPath[];
  readonly at: number;
}
export interface RunRolledBack {
  readonly error: FailureDetail;
  readonly at: number;
}
/** The run waited for its lane and may begin now. */
export interface RunAdmitted {
  readonly lane: string;
  readonly at: number;
}

/** The children of a container, planned in the append that starts it. */
export interface PlannedChildren {
  readonly childCount: number;
  readonly strategy?: string;
  readonly maxWorkers?: number;
  readonly tasks?: readonly PlannedTask[];
  /** A collection's kept items, by index, and the type of the task that each of them gets. */
  readonly items?: readonly Json[];
  readonly itemType?: string;
  readonly skippedCount?: number;
}

/** The next task of a segment, started by the same event that ends the one before it: one event per step. */
export interface StartedTask {
  readonly task: TaskPath;
  readonly attempt: number;
  readonly input?: Json;
  readonly effect?: RecordedEffect;
}

/** The intent of an effect that may not be repeated blindly, durable before it takes place. */
export interface RecordedEffect {
  readonly class: 'keyed' | 'once';
  /** Sent with each attempt, independent of its number. */
  readonly key: string;
}

export interface TaskTransitioned {
  readonly transition: TaskTransition;
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  readonly attempt: number;
  readonly at: number;
  /** `name#incarnation` of the executor that holds the attempt. */
  readonly executor?: string;
  /** Resolved input; absent when the task has no `with`. */
  readonly input?: Json;
  readonly effect?: RecordedEffect;
  readonly output?: Json;
  readonly error?: FailureDetail;
  readonly sideEffects?: JsonObject;
  /** What the attempt does first: nothing, ask `verify` and then run, or only ask `verify`. */
  readonly verify?: 'first' | 'only';
  readonly children?: PlannedChildren;
  /** A router's choice or an error transition: the sibling that comes next, and the overlay on its `with`. */
  readonly next?: { readonly task: string; readonly with?: Json };
  /** For waits and sleeps: when the engine looks again. */
  readonly until?: number;
  /** For waits: the signal that completed it, and with `all` every one of them. They are used up by it. */
  readonly signalId?: string;
  readonly signalIds?: readonly string[];
  /** For waits, in the event that begins them: the signals they look for; whoever delivers to waiting tasks indexes it. */
  readonly waitsFor?: readonly AwaitedSignal[];
  /** In the event that begins a task whose work is another run. */
  readonly childRun?: StartedRun;
  readonly starts?: StartedTask;
  /** Of a `retry`: the attempts so far no longer count, because the whole run is tried again. */
  readonly renewed?: boolean;
}

export interface AwaitedSignal {
  readonly signal: string;
  /** Only signals with this correlation id match; absent: any. */
  readonly correlationId?: string;
}

/** A run that a task waits for. */
export interface StartedRun {
  readonly runId: RunId;
  readonly workflow: string;
  /** Of the child run: 1 when it is started, one more each time the task is tried again. */
  readonly attempt: number;
}

/**
 * A wait's processor gets a signal: the wait has one more child, at `<wait>[index]`, whose item is
 * `{payload, metadata}` of that signal. Stream: the wait's.
 */
export interface ChildPlanned {
  readonly index: number;
  readonly type: string;
  readonly signalId: string;
  readonly at: number;
}

/** A container with `rollback: onFailure` failed: what finished inside it is undone, then it ends as failed with `error`. */
export interface TaskRollbackStarted {
  readonly error: FailureDetail;
  /** In the order in which they are undone. */
  readonly tasks: readonly TaskPath[];
  readonly at: number;
}

/** Durable at once while the handler runs; merged into the task's `sideEffects`. */
export interface SideEffectRecorded {
  readonly attempt: number;
  readonly effect: JsonObject;
  readonly at: number;
}

/** The answer of `verify`, asked before an uncertain effect is repeated. */
export interface EffectVerified {
  readonly attempt: number;
  readonly answer: 'applied' | 'not_applied' | 'unknown';
  readonly result?: Json;
  readonly at: number;
}

/** Compensation of one finished task. */
export interface TaskUndoTransitioned {
  readonly to: 'started' | 'completed' | 'failed';
  /** 1 for the first try to undo it. */
  readonly attempt: number;
  readonly executor?: string;
  readonly error?: FailureDetail;
  readonly at: number;
}

export interface SignalReceived {
  readonly signal: string;
  readonly signalId: string;
  readonly payload: Json;
  readonly correlationId?: string;
  readonly at: number;
}

/** A workflow's label (`live` or a semantic version) now points at this definition. Stream: the workflow's own id. */
export interface WorkflowPublished {
  readonly workflow: string;
  readonly definition: DefinitionHash;
  readonly labels: readonly string[];
  /** Signals that start a run of it. */
  readonly triggers?: readonly string[];
  readonly at: number;
}

export interface EventDataByType {
  RunRequested: RunRequested;
  RunPlanned: RunPlanned;
  RunAdmitted: RunAdmitted;
  RunCompleted: RunCompleted;
  RunFailed: RunFailed;
  RunRetried: RunRetried;
  RunCancelRequested: RunCancelRequested;
  RunCanceled: RunCanceled;
  RunPaused: RunPaused;
  RunResumed: RunResumed;
  RunRollbackStarted: RunRollbackStarted;
  RunRolledBack: RunRolledBack;
  TaskTransitioned: TaskTransitioned;
  SideEffectRecorded: SideEffectRecorded;
  EffectVerified: EffectVerified;
  TaskUndoTransitioned: TaskUndoTransitioned;
  ChildPlanned: ChildPlanned;
  TaskRollbackStarted: TaskRollbackStarted;
  SignalReceived: SignalReceived;
  WorkflowPublished: WorkflowPublished;
}

export type EventType = keyof EventDataByType;
export type DomainEvent = { [T in EventType]: { readonly type: T; readonly data: EventDataByType[T] } }[EventType];
export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;

const EVENT_TYPES: { readonly [T in EventType]: true } = {
  RunRequested: true, RunPlanned: true, RunAdmitted: true, RunCompleted: true, RunFailed: true, RunRetried: true, RunCancelRequested: true,
  RunCanceled: true, RunPaused: true, RunResumed: true, RunRollbackStarted: true, RunRolledBack: true, TaskTransitioned: true,
  SideEffectRecorded: true, EffectVerified: true, TaskUndoTransitioned: true, ChildPlanned: true, TaskRollbackStarted: true,
  SignalReceived: true, WorkflowPublished: true,
};

/** False for what a newer release wrote. */
export const isEventType = (type: string): type is EventType => Object.hasOwn(EVENT_TYPES, type);
