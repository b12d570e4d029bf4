import type { FailureDetail, TaskPath } from '@foldwork/events/contracts';
import { taskAt } from '../plan/compiled-definition';
import type { Deciding } from './deciding';
import type { RollbackState } from './run.state';
import { driveUndo, undoOrder } from './undo';

/** A container with `rollback: onFailure` fails only after what finished inside it is undone. False: nothing to undo. */
export const startScopeRollback = (deciding: Deciding, path: TaskPath, error: FailureDetail): boolean => {
  const { run, definition, now } = deciding;
  if (!taskAt(definition, path).rollback || run.tasks.get(path)?.rollback !== undefined) return false;
  const tasks = undoOrder(run, definition, path);
  if (tasks.length === 0) return false;
  deciding.emit(path, { type: 'TaskRollbackStarted', data: { error, tasks, at: now } });
  return true;
};

/** Goes on with the rollback of an active container, and ends it as failed when that is done. */
export const driveScopeRollback = (deciding: Deciding, path: TaskPath, rollback: RollbackState): void => {
  const progress = driveUndo(deciding, path, rollback);
  if (progress.status === 'open') return;
  const { error } = rollback;
  if (progress.status === 'done') return deciding.transition(path, 'fail', { error });
  const message = `${error.message}; undo of ${progress.task} failed: ${progress.error.message}`;
  deciding.transition(path, 'fail', { error: { code: 'ROLLBACK_FAILED', message } });
};
