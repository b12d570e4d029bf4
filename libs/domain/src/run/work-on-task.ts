import type { FailureDetail, TaskPath } from '@foldwork/events/contracts';
import { evaluateUnless, ExpressionError } from '../expressions';
import type { CompiledTask } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import { carryOut, timeOut } from './carry-out';
import type { Deciding } from './deciding';
import type { TaskState } from './run.state';

/**
 * What the engine itself does for a task: an expression that cannot be evaluated fails the task, one that is not done
 * within the task's time limit is given up and times it out. `undefined` then.
 */
export const workOnTask = <T>(deciding: Deciding, path: TaskPath, spec: CompiledTask, work: () => T): T | undefined => {
  const leftMs = timeLeft(deciding.run.tasks.get(path), spec, deciding.now);
  const isOver = (): boolean => leftMs !== undefined && deciding.context.isTakingLong?.(path, leftMs) === true;
  try {
    return evaluateUnless(isOver, work);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    if (isOver()) timeOut(deciding, path, overdue(path, spec));
    else carryOut(deciding, path, [{ kind: 'fail', error: { code: 'EXPRESSION_ERROR', message: error.message } }]);
    return undefined;
  }
};

/** Milliseconds until an attempt's limit; `undefined`: it has none. One that has not begun has all of its time. */
export const timeLeft = (task: TaskState | undefined, { timeoutMs }: CompiledTask, now: number): number | undefined => {
  if (timeoutMs === undefined) return undefined;
  const startedAt = task !== undefined && isActive(task.status) ? task.startedAt : undefined;
  return (startedAt ?? now) + timeoutMs - now;
};

export const overdue = (path: TaskPath, { timeoutMs }: CompiledTask): FailureDetail => ({ code: 'TASK_TIMEOUT', message: `${path} took longer than ${timeoutMs} ms` });
