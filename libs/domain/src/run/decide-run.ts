import { RUN_STREAM, type FailureDetail, type NewEvent, type RunId, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { ExpressionError } from '../expressions';
import { taskAt, type CompiledDefinition } from '../plan/compiled-definition';
import { isRetryable } from '../policies/retry-policy';
import { markOpen } from './apply-run-event';
import { cancelTasks } from './cancel';
import { followChildRuns } from './child-runs';
import { forgetHandedOut } from './children';
import { decideRollback, startRollback } from './decide-rollback';
import { Deciding, takeDeepest, type DecideContext } from './deciding';
import { driveList } from './drive-list';
import { releaseLost } from './release-lost';
import type { ChildRunRequest, OutgoingSignal } from './outgoing';
import { canBeRetried, renewRun } from './renew';
import type { RunState, TaskState } from './run.state';
import { settleTask } from './settle';
import { taskScope } from './task-scope';

export interface RunDecision {
  /** To be appended together, all or none; already applied to the state. */
  readonly events: readonly NewEvent[];
  /**
   * What executors should be running according to the log and were not asked to yet; sending it twice is harmless. It is
   * not repeated: when a command may be lost (not claimed in time, publish failed), call `lookAtEverything` and decide again.
   */
  readonly segments: readonly (readonly SegmentTask[])[];
  /** Of the run's own stream after these events: what comes later was not known. */
  readonly runVersion: number;
  /** To be delivered after the append; repeated as long as `DecideContext.dispatched` does not know them. */
  readonly signals: readonly OutgoingSignal[];
  /** To be started, or retried, after the append; repeated as long as `DecideContext.childRun` does not show it. */
  readonly childRuns: readonly ChildRunRequest[];
  /**
   * Runs that nobody waits for any more: cancel those still open after the append (`decideOperatorCommand`, kind `cancel`)
   * and do not forget this run before that is done, even if it has ended. Repeated until `childRun` shows their end.
   */
  readonly cancelRuns: readonly RunId[];
  /** How many tasks were planned that follow which rule, as `type@version`: for counters. */
  readonly planned: ReadonlyMap<string, number>;
  /** When the run must be looked at again whatever happens; absent: only an event can move it. */
  readonly wakeAt?: number;
}

/**
 * What must happen now to this run. Total and pure in its arguments: it changes `run` only by applying the events it
 * returns. Looks at what events marked as changed, at what is due, and at what lost executors left.
 */
export const decideRun = (run: RunState, definition: CompiledDefinition, context: DecideContext): RunDecision => {
  const deciding = new Deciding(run, definition, context);
  markDue(run, context.now);
  decideStatus(deciding);
  followChildRuns(deciding);
  const { events, segments, signals, childRuns, cancelRuns, planned } = deciding;
  const wakeAt = nextWake(run);
  return { events, segments, runVersion: run.version, signals, childRuns, cancelRuns, planned, ...(wakeAt !== undefined && { wakeAt }) };
};

const decideStatus = (deciding: Deciding): void => {
  const { run } = deciding;
  if (run.status === 'failed') afterFailure(deciding);
  if (run.status === 'pending' && run.admitted && run.cancel === undefined) plan(deciding);
  if (run.status === 'rolling_back') return decideRollback(deciding);
  if (run.status !== 'running' && run.status !== 'pending') return;
  if (run.cancel !== undefined) return cancelRun(deciding);
  if (run.status !== 'running' || !run.admitted) return;
  releaseLost(deciding);
  settleDirty(deciding);
};

const settleDirty = (deciding: Deciding): void => {
  const { run } = deciding;
  for (let path = takeDeepest(run.dirty); path !== undefined; path = takeDeepest(run.dirty)) {
    if (path === RUN_STREAM) settleRoot(deciding);
    else settleTask(deciding, path);
    if (run.status !== 'running') return;
  }
};

const plan = (deciding: Deciding): void => {
  const tasks = deciding.definition.root.tasks.map(({ id, type }) => ({ id, type }));
  for (const { type } of tasks) deciding.countPlanned(type);
  deciding.emitRun({ type: 'RunPlanned', data: { tasks, at: deciding.now } });
  deciding.run.dirty.add(RUN_STREAM);
};

const settleRoot = (deciding: Deciding): void => {
  try {
    if (isOverdue(deciding)) return failRun(deciding, { code: 'RUN_TIMEOUT', message: `the run took longer than ${deciding.definition.timeoutMs} ms` });
    const progress = driveList(deciding, deciding.definition.root, RUN_STREAM);
    if (progress.status === 'failed') failRun(deciding, progress.error ?? failureOf(progress.task), progress.task);
    else if (progress.status === 'completed') completeRun(deciding);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    failRun(deciding, { code: 'EXPRESSION_ERROR', message: error.message });
  }
};

const isOverdue = (deciding: Deciding): boolean => {
  const { run, definition, now } = deciding;
  const from = run.limitFrom ?? run.startedAt;
  if (definition.timeoutMs === undefined || from === undefined) return false;
  const deadline = from + definition.timeoutMs;
  if (now >= deadline) return true;
  deciding.wakeAt(RUN_STREAM, deadline);
  return false;
};

const completeRun = (deciding: Deciding): void => {
  const { run, definition, now } = deciding;
  const output = definition.output?.evaluate(taskScope(run, definition, RUN_STREAM, definition.output.references)) ?? null;
  deciding.emitEnd({ type: 'RunCompleted', data: { output, at: now } });
};

const failureOf = (task: TaskState): FailureDetail =>
  task.status === 'escalated'
    ? { code: 'TASK_ESCALATED', message: `${task.path} waits for a person: ${task.error?.message ?? 'escalated'}` }
    : (task.error ?? { code: 'TASK_CANCELED', message: `${task.path} was canceled` });

const failRun = (deciding: Deciding, error: FailureDetail, task?: TaskState): void => {
  const { run, now } = deciding;
  cancelTasks(deciding, error.code === 'RUN_TIMEOUT');
  if (deciding.definition.rollback && error.code !== 'TASK_ESCALATED') return startRollback(deciding, error, task?.path);
  const retryAt = retriesItself(deciding, error, task) ? { retryAt: now + run.request.retry.delayMs } : {};
  deciding.emitEnd({ type: 'RunFailed', data: { error, ...(task && { task: task.path }), ...retryAt, at: now } });
};

const retriesItself = ({ run, definition }: Deciding, error: FailureDetail, task?: TaskState): boolean => {
  if (run.attempt > run.request.retry.maximum || NEVER_AGAIN.has(error.code) || !canBeRetried(run)) return false;
  return task === undefined || isRetryable(taskAt(definition, task.path).retry, task.error);
};

/** The same run would only end the same way, or a person has to say something first. */
const NEVER_AGAIN: ReadonlySet<string> = new Set(['TASK_ESCALATED', 'RUN_TIMEOUT', 'MAX_VISITS', 'EXPRESSION_ERROR']);

/** A failed run that would be tried again by itself ends for good when somebody cancels it first. */
const afterFailure = (deciding: Deciding): void => {
  const { run, now } = deciding;
  if (run.cancel !== undefined && run.retryAt !== undefined) return cancelRun(deciding);
  if (run.retryAt === undefined || now < run.retryAt) return;
  renewRun(deciding, { automatic: true });
};

const cancelRun = (deciding: Deciding): void => {
  const { run, now } = deciding;
  cancelTasks(deciding, true);
  deciding.emitEnd({ type: 'RunCanceled', data: { ...(run.cancel?.reason !== undefined && { reason: run.cancel.reason }), at: now } });
};

const markDue = (run: RunState, now: number): void => {
  for (const [path, at] of run.wakes) {
    if (at > now) continue;
    run.wakes.delete(path);
    run.dirty.add(path);
  }
};

const nextWake = (run: RunState): number | undefined => {
  let next = run.status === 'failed' && run.cancel === undefined ? run.retryAt : undefined;
  if (run.status === 'running' || run.status === 'rolling_back') for (const at of run.wakes.values()) if (next === undefined || at < next) next = at;
  return next;
};

/** Marks everything open, after a fold or when a command may have been lost: the next decision looks at all of it. */
export const lookAtEverything = (run: RunState): void => {
  forgetHandedOut(run);
  markOpen(run);
};

/** Something about this task changed that is not in the log: its signal was delivered, its child run ended. */
export const lookAtTask = (run: RunState, path: TaskPath): void => {
  run.dirty.add(path);
};
