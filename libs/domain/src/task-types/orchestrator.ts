import type { AwaitedSignal, FailureDetail, Json, PlannedChildren, RunId, StartedRun, TaskPath } from '@foldwork/events/contracts';
import type { TaskCommon, TaskTypeDefinition } from '../definition';
import type { Expression, Scope, Template } from '../expressions';
import type { CompiledTask } from '../plan/compiled-definition';
import type { ChildRunView, OutgoingSignal, SignalDispatch } from '../run/outgoing';
import type { RunState, SignalState, TaskState } from '../run/run.state';

/**
 * The pure rule of one task type. Level-triggered: it looks at its definition and at its children as they are now and
 * says what must happen; asked again in the same situation it says the same, so doubled, late and reordered deliveries
 * are harmless. It never appends, never reads a clock, never throws except `ExpressionError`.
 */
export interface Orchestrator {
  /** What definitions call it. */
  readonly type: string;
  /** Raised when its rule changes; runs keep the version they began with. */
  readonly version: number;
  /** The task's turn has come (status pending). Types whose work is an action leave it out: an executor runs that. */
  begin?(view: TaskView): readonly Directive[];
  /** Something below or about the active task changed, or time passed. Types without a life of their own leave it out. */
  advance?(view: TaskView): readonly Directive[];
}

/** What an orchestrator sees. `now` is the decision's time in milliseconds. */
export interface TaskView {
  readonly run: RunState;
  readonly task: TaskState;
  readonly spec: CompiledTask;
  readonly now: number;
  /** Failed children that will be tried again: they count as active. */
  readonly retrying: Retrying;
  /** Children that are pending but somebody was asked to run: they count as active. */
  readonly handedOut: number;
  /** From the transition that led here, laid over the task's own `with`. */
  readonly overlay: Json | undefined;
  /** Variables for this task's expressions, with extras on top. */
  scopeOf(source: Expression | Template, extra?: Scope): Scope;
  evaluate(source: Expression | Template, extra?: Scope): Json;
  /** All children in index order. */
  children(): readonly TaskState[];
  /** Indexes of children that may begin, in index order: at most `limit` of them, all below `indexLimit`. */
  nextPending(limit: number, indexLimit: number): readonly number[];
  /** A signal task's delivery, once it is known. */
  dispatched(signalId: string): SignalDispatch | undefined;
  /** A child run, as far as the engine knows it; undefined: there is none yet. */
  childRun(runId: RunId): ChildRunView | undefined;
  /** Signals of these names that nobody used up, in order of arrival. */
  inbox(names: readonly string[]): readonly SignalState[];
  /** Signals that this wait has looked at and refused; the rule adds to it so that it need not look again. */
  refused(): Set<string>;
}

export interface Retrying {
  readonly failed: number;
  readonly timedOut: number;
}

/** What must happen. Carried out in order; the state the next decision sees has all of them. */
export type Directive =
  | { readonly kind: 'begin'; readonly input?: Json; readonly children?: PlannedChildren; readonly childRun?: StartedRun }
  | { readonly kind: 'wait'; readonly until?: number; readonly input?: Json; readonly waitsFor?: readonly AwaitedSignal[] }
  | { readonly kind: 'complete'; readonly output: Json; readonly next?: { readonly task: string; readonly with?: Json }; readonly signalIds?: readonly string[] }
  | { readonly kind: 'fail'; readonly error: FailureDetail; readonly next?: { readonly task: string }; readonly childRun?: StartedRun }
  /** Drive the container's own list of tasks, one after another. */
  | { readonly kind: 'runList' }
  /** It is this child's turn. */
  | { readonly kind: 'runChild'; readonly index: number }
  /** Consecutive children that one executor may run one after another. */
  | { readonly kind: 'runChildren'; readonly indexes: readonly number[] }
  | { readonly kind: 'cancelChild'; readonly path: TaskPath }
  /** The task's template runs once more, for this signal. */
  | { readonly kind: 'planChild'; readonly signalId: string }
  | { readonly kind: 'dispatch'; readonly signal: Omit<OutgoingSignal, 'task'> }
  | { readonly kind: 'startRun'; readonly workflow: string; readonly input: Json }
  | { readonly kind: 'wakeAt'; readonly at: number };

/** A task type: what the language knows of it and the versions of its rule, newest last. */
export interface TaskTypeModule<T extends TaskCommon = TaskCommon> {
  readonly definition: TaskTypeDefinition<T>;
  /**
   * Who does the work of an attempt. What an executor runs has no `begin`; it can be part of a segment and is retried three times unless
   * the definition says otherwise; what the engine does itself is tried again only where the task's own `retry` says so.
   */
  readonly worker: 'executor' | 'engine';
  /** Its result names the task that comes next; `onSuccess.next` means nothing for it. */
  readonly choosesNext?: true;
  /** Milliseconds that no task of the type may take longer, whatever its `timeout` says; `own`: its rule looks after `timeout`. */
  readonly timeLimit?: number | 'own';
  readonly orchestrators: readonly Orchestrator[];
}
