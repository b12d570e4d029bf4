import type { FailureDetail, Json, SegmentTask, TaskPath } from '@foldwork/events/contracts';
import type { CompiledTask } from '../plan/compiled-definition';
import { isRetryable, LEASE_LOST, retryDelayMs } from '../policies/retry-policy';
import type { Deciding } from './deciding';
import type { TaskState } from './run.state';
import { inheritedInput } from './task-input';

/** So many vanished executors are not held against a task; one that takes its executor down each time must end. */
export const LOST_FREE = 10;

const usedAttempts = (task: TaskState | undefined): number =>
  task === undefined ? 0 : task.attempt - task.attemptsBefore - Math.min(task.lost, LOST_FREE);

export interface NextAttempt {
  readonly at: number;
  /** It only asks `verify`: nothing is left that could be tried. */
  readonly asksOnly: boolean;
}

/**
 * The next attempt, or `undefined` if there is none. The uncertain end of a `once` effect always gets one more look, even
 * with attempts used up or an error that is not retried.
 */
export const nextAttempt = (task: TaskState, spec: CompiledTask, quarantineMs: number): NextAttempt | undefined => {
  // what was undone must not be taken for done by another attempt
  if (task.rollback !== undefined) return undefined;
  const used = usedAttempts(task);
  const asksOnly = task.verify === 'only' || used >= spec.retry.maximumAttempts || !isRetryable(spec.retry, task.error);
  if (asksOnly && !mayAsk(task, spec)) return undefined;
  const endedAt = task.endedAt ?? 0;
  const delayMs = task.error?.code === LEASE_LOST ? 0 : retryDelayMs(spec.retry, used + 1);
  // what timed out, or lost its connection, may still be on its way as well
  return { at: endedAt + Math.max(delayMs, isOnce(spec, task) && isUncertain(task) ? quarantineMs : 0), asksOnly };
};

/** Asked once; again where nobody heard the answer. */
const mayAsk = (task: TaskState, spec: CompiledTask): boolean =>
  isOnce(spec, task) && isUncertain(task) && (task.error?.code === LEASE_LOST ? task.lost < 2 * LOST_FREE : task.verify !== 'only');

/** The definition may leave the class to the action; then the first claim recorded it. */
export const isOnce = (spec: CompiledTask, task: TaskState | undefined): boolean =>
  task?.effect?.class === 'once' || ('effect' in spec.spec && spec.spec.effect === 'once');

/**
 * Ends that leave open whether the effect took place: the request may have arrived, or did and the answer was lost. What
 * fails before a connection stands (ECONNREFUSED, UND_ERR_CONNECT_TIMEOUT, …) is not among them.
 */
const UNCERTAIN: ReadonlySet<string> = new Set([
  LEASE_LOST, 'ATTEMPT_TIMEOUT', 'HEARTBEAT_TIMEOUT',
  'RESULT_REFUSED', // the action went through; what it answered could not be kept
  'EXECUTOR_FAULT', // a bug of ours, before or after the action
  'CONNECTION_LOST', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE', 'HTTP_BODY_TOO_LARGE',
  'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_DESTROYED', 'UND_ERR_ABORTED',
  'AbortError', 'ABORT_ERR', 'TimeoutError',
]);
const isUncertain = ({ error }: TaskState): boolean => error !== undefined && (UNCERTAIN.has(error.code) || isServerTrouble(error));

/** Of `http.request`: a server that broke, or one in between that did not wait, says nothing of what was done. */
const isServerTrouble = ({ code, details }: FailureDetail): boolean =>
  code === 'HTTP_STATUS' && typeof details === 'object' && details !== null && 'status' in details && Number(details.status) >= 500;

/** The part of a step command that speaks of this task. Throws `ExpressionError` (a collection's `with`). */
export const segmentTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay?: Json): SegmentTask => {
  const { run, definition } = deciding;
  const task = run.tasks.get(path);
  const again = isOnce(spec, task) && (task?.attempt ?? 0) > 0;
  const used = usedAttempts(task);
  const inherited = inheritedInput(run, definition, path);
  return {
    path,
    version: task?.version ?? 0,
    attempt: (task?.attempt ?? 0) + 1,
    ...(again && { verify: task?.verify === 'only' || used >= spec.retry.maximumAttempts ? ('only' as const) : ('first' as const) }),
    ...(used + 1 >= spec.retry.maximumAttempts && { last: true }),
    ...(task?.sideEffects !== undefined && { sideEffects: task.sideEffects }),
    ...(inherited !== undefined && { inherited }),
    ...(overlay !== undefined && { overlay }),
  };
};
