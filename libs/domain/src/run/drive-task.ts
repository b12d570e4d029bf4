import { parentPath, type Json, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { evaluateBoolean } from '../expressions';
import { isActive } from '../task/task-machine';
import type { CompiledTask } from '../plan/compiled-definition';
import { carryOut } from './carry-out';
import type { Deciding } from './deciding';
import { isOnce, nextAttempt, segmentTask } from './attempts';
import { renewBelow } from './renew';
import type { TaskState } from './run.state';
import { viewOf } from './task-view';
import { workOnTask } from './work-on-task';

/**
 * A `SegmentTask`: an executor should have it. `open`: under way, or waiting for its time. `done`: completed or skipped.
 * `failed`: ended without success, retries used up.
 */
export type Progress = SegmentTask | 'open' | 'done' | 'failed';

/** Evaluated only when the task begins. */
export type Overlay = () => Json | undefined;
const NO_OVERLAY: Overlay = () => undefined;

/** Takes a task whose turn it is as far as it can go by itself. */
export const driveTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay: Overlay = NO_OVERLAY): Progress => {
  const task = deciding.run.tasks.get(path);
  switch (task?.status) {
    case undefined:
    case 'pending':
      return beginTask(deciding, path, spec, overlay);
    case 'assigned':
    case 'in_progress':
    case 'waiting':
      return 'open';
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

const beginTask = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay: Overlay): Progress => {
  if (deciding.run.paused || isTooEarly(deciding, path, spec)) return 'open';
  if (isUnclaimed(deciding, path, spec)) return progressOf(deciding, path, spec);
  return workOnTask(deciding, path, spec, () => begin(deciding, path, spec, overlay)) ?? progressOf(deciding, path, spec);
};

/** A `once` effect that was taken from an executor may still be on its way: nobody could say yet whether it took place. */
const isTooEarly = (deciding: Deciding, path: TaskPath, spec: CompiledTask): boolean => {
  const task = deciding.run.tasks.get(path);
  if (task?.takenAt === undefined || task.attempt === 0 || !isOnce(spec, task)) return false;
  const until = task.takenAt + deciding.context.quarantineMs;
  if (deciding.now >= until) return false;
  deciding.wakeAt(parentPath(path), until);
  return true;
};

/** What an executor should have, where the rule leaves it to one; `undefined`: the engine has done what there was to do. Throws `ExpressionError`. */
const begin = (deciding: Deciding, path: TaskPath, spec: CompiledTask, overlay: Overlay): SegmentTask | undefined => {
  const view = viewOf(deciding, path, overlay());
  if (spec.when !== undefined && view.task.attempt === 0 && !evaluateBoolean(spec.when, view.scopeOf(spec.when))) {
    deciding.transition(path, 'skip');
    return undefined;
  }
  const directives = view.orchestrator.begin?.(view);
  if (directives === undefined) return segmentTask(deciding, path, spec, view.overlay);
  carryOut(deciding, path, directives, view.overlay);
  return undefined;
};

/**
 * After the engine moved a task: what its new status means for the list it stands in. One that failed and will be tried
 * again is open; the move marked the list, so that it is looked at again in this very decision.
 */
const progressOf = (deciding: Deciding, path: TaskPath, spec: CompiledTask): 'open' | 'done' | 'failed' => {
  const task = deciding.run.tasks.get(path);
  const status = task?.status ?? 'pending';
  if (status === 'completed' || status === 'skipped') return 'done';
  if (task === undefined || isActive(status) || status === 'pending') return 'open';
  return nextAttempt(task, spec, deciding.context.quarantineMs) === undefined ? 'failed' : 'open';
};

/** Nobody picked the task up in time. The write takes it away from a command that is still on its way. */
const isUnclaimed = (deciding: Deciding, path: TaskPath, spec: CompiledTask): boolean => {
  const { scheduleTimeoutMs } = spec;
  if (scheduleTimeoutMs === undefined || !spec.executed) return false;
  const parent = parentPath(path);
  const task = deciding.run.tasks.get(path);
  const handed = deciding.run.handed.get(parent)?.get(path);
  const since = handed !== undefined && handed.version === (task?.version ?? 0) ? handed.since : deciding.now;
  if (deciding.now < since + scheduleTimeoutMs) {
    deciding.wakeAt(parent, since + scheduleTimeoutMs);
    return false;
  }
  const error = { code: 'SCHEDULE_TIMEOUT', message: `no executor took ${path} within ${scheduleTimeoutMs} ms` };
  deciding.transition(path, 'timeOut', { attempt: (task?.attempt ?? 0) + 1, error });
  return true;
};

const retryOrFail = (deciding: Deciding, task: TaskState, spec: CompiledTask, overlay: Overlay): Progress => {
  const next = nextAttempt(task, spec, deciding.context.quarantineMs);
  if (next === undefined) return 'failed';
  if (deciding.run.paused) return 'open';
  if (deciding.now < next.at) {
    deciding.wakeAt(parentPath(task.path), next.at);
    return 'open';
  }
  deciding.transition(task.path, 'retry', next.asksOnly ? { verify: 'only' } : {});
  renewBelow(deciding, task.path);
  return beginTask(deciding, task.path, spec, overlay);
};
