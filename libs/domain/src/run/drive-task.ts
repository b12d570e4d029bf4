import { parentPath, type Json, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { evaluateBoolean, ExpressionError } from '../expressions';
import { isRetryable, LEASE_LOST, retryDelayMs } from '../policies/retry-policy';
import { isActive } from '../task/task-machine';
import type { CompiledTask } from '../plan/compiled-definition';
import { carryOut } from './carry-out';
import type { Deciding } from './deciding';
import type { TaskState } from './run.state';
import { viewOf } from './task-view';

/**
 * `ready`: an executor should have it. `open`: under way, or waiting for its time. `done`: completed or skipped.
 * `failed`: ended without success, retries used up.
 */
export type Progress = 'ready' | 'open' | 'done' | 'failed';

/** Takes a task whose turn it is as far as it can go by itself. */
export const driveTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay?: Json): Progress => {
  const task = deciding.run.tasks.get(path);
  switch (task?.status) {
    case undefined:
    case 'pending':
      return beginTask(deciding, path, spec, overlay);
    case 'assigned':
    case 'in_progress':
    case 'waiting':
      return checkTimeLimit(deciding, task, spec);
    case 'failed':
    case 'timed_out':
      return retryOrFail(deciding, task, spec, overlay);
    case 'escalated':
    case 'canceled':
      return 'failed';
    case 'completed':
    case 'skipped':
      return 'done';
  }
};

const beginTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay?: Json): Progress => {
  if (deciding.run.paused) return 'open';
  const view = viewOf(deciding, path, overlay);
  try {
    if (spec.when !== undefined && view.task.attempt === 0 && !evaluateBoolean(spec.when, view.scopeOf(spec.when))) {
      deciding.transition(path, 'skip');
      return 'done';
    }
    const directives = view.orchestrator.begin(view);
    if (directives[0]?.kind === 'execute') return 'ready';
    carryOut(deciding, path, directives);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    carryOut(deciding, path, [{ kind: 'fail', error: { code: 'EXPRESSION_ERROR', message: error.message } }]);
  }
  return progressOf(deciding, path);
};

/** After the engine moved a task: what its new status means for the list it stands in. */
const progressOf = (deciding: Deciding, path: TaskPath): Progress => {
  const status = deciding.run.tasks.get(path)?.status ?? 'pending';
  if (status === 'completed' || status === 'skipped') return 'done';
  return isActive(status) || status === 'pending' ? 'open' : 'failed';
};

/** Containers and waits have a limit as a whole; an attempt at an executor is limited by the executor itself. */
const checkTimeLimit = (deciding: Deciding, task: TaskState, spec: CompiledTask): Progress => {
  if (spec.timeoutMs === undefined || task.executor !== undefined || task.status === 'waiting' || task.startedAt === undefined) return 'open';
  const deadline = task.startedAt + spec.timeoutMs;
  if (deciding.now < deadline) {
    deciding.wakeAt(parentPath(task.path), deadline);
    return 'open';
  }
  cancelBelow(deciding, task.path);
  deciding.transition(task.path, 'timeOut', { error: { code: 'TASK_TIMEOUT', message: `${task.path} took longer than ${spec.timeoutMs} ms` } });
  return 'failed';
};

const retryOrFail = (deciding: Deciding, task: TaskState, spec: CompiledTask, overlay?: Json): Progress => {
  const moment = retryMoment(task, spec, deciding.context.quarantineMs);
  if (moment === undefined) return 'failed';
  if (deciding.run.paused) return 'open';
  if (deciding.now < moment) {
    deciding.wakeAt(parentPath(task.path), moment);
    return 'open';
  }
  deciding.transition(task.path, 'retry');
  return beginTask(deciding, task.path, spec, overlay);
};

/**
 * When the next attempt is due, or `undefined` if there is none. The uncertain end of a `once` effect always gets one
 * more look, even with attempts used up: that last one only asks `verify`.
 */
export const retryMoment = (task: TaskState, spec: CompiledTask, quarantineMs: number): number | undefined => {
  const used = task.attempt - task.attemptsBefore;
  const lost = task.error?.code === LEASE_LOST;
  const uncertain = isOnce(spec, task) && task.verify !== 'only';
  if (spec.type !== 'basic' && spec.retry.maximumAttempts <= used) return undefined;
  if (!isRetryable(spec.retry, task.error)) return undefined;
  if (used >= spec.retry.maximumAttempts && !(uncertain && isUncertain(task))) return undefined;
  const endedAt = task.endedAt ?? 0;
  if (lost) return endedAt + (isOnce(spec, task) ? quarantineMs : 0);
  return endedAt + retryDelayMs(spec.retry, used + 1);
};

/** The definition may leave the class to the action; then the first claim recorded it. */
const isOnce = (spec: CompiledTask, task: TaskState | undefined): boolean =>
  task?.effect?.class === 'once' || ('effect' in spec.spec && spec.spec.effect === 'once');

/** Ends that leave open whether the effect took place. */
const UNCERTAIN: ReadonlySet<string> = new Set([LEASE_LOST, 'ATTEMPT_TIMEOUT', 'HEARTBEAT_TIMEOUT', 'CONNECTION_LOST']);
const isUncertain = (task: TaskState): boolean => task.error !== undefined && UNCERTAIN.has(task.error.code);

/** The part of a step command that speaks of this task. */
export const segmentTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay?: Json): SegmentTask => {
  const task = deciding.run.tasks.get(path);
  const used = (task?.attempt ?? 0) - (task?.attemptsBefore ?? 0);
  const again = isOnce(spec, task) && (task?.attempt ?? 0) > 0;
  return {
    path,
    version: task?.version ?? 0,
    attempt: (task?.attempt ?? 0) + 1,
    ...(again && { verify: used >= spec.retry.maximumAttempts ? ('only' as const) : ('first' as const) }),
    ...(task?.sideEffects !== undefined && { sideEffects: task.sideEffects }),
    ...(overlay !== undefined && { overlay }),
  };
};

/** Cancels whatever is not ended below a path; the path itself stays. */
export const cancelBelow = (deciding: Deciding, path: TaskPath): void => {
  const plan = deciding.run.tasks.get(path)?.children;
  if (plan === undefined) return;
  for (const task of [...deciding.run.tasks.values()]) {
    if (task.path === path || !isBelow(task.path, path)) continue;
    if (task.status === 'pending' || isActive(task.status)) deciding.transition(task.path, 'cancel');
  }
};

const isBelow = (path: TaskPath, above: TaskPath): boolean =>
  path.startsWith(above) && (path[above.length] === '/' || path[above.length] === '[');
