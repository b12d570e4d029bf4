import { RUN_STREAM, type FailureDetail, type TaskPath } from '@foldwork/events/contracts';
import type { Deciding } from './deciding';
import { driveUndo, undoOrder } from './undo';

/** The run failed: what finished is undone, one by one, last finished first. */
export const startRollback = (deciding: Deciding, error: FailureDetail, task?: TaskPath): void => {
  const { run, definition, now } = deciding;
  const tasks = undoOrder(run, definition, RUN_STREAM);
  deciding.emitRun({ type: 'RunRollbackStarted', data: { error, ...(task !== undefined && { task }), tasks, at: now } });
  decideRollback(deciding);
};

export const decideRollback = (deciding: Deciding): void => {
  const { run, now } = deciding;
  run.dirty.clear();
  const { rollback } = run;
  if (rollback === undefined) return;
  const progress = driveUndo(deciding, RUN_STREAM, rollback);
  if (progress.status === 'done') deciding.emitEnd({ type: 'RunRolledBack', data: { error: rollback.error, at: now } });
  if (progress.status !== 'failed') return;
  const error = { code: 'ROLLBACK_FAILED', message: `${rollback.error.message}; undo of ${progress.task} failed: ${progress.error.message}` };
  deciding.emitEnd({ type: 'RunFailed', data: { error, task: progress.task, at: now } });
};
