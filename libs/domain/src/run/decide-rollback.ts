import { RUN_STREAM, type FailureDetail, type TaskPath } from '@foldwork/events/contracts';
import { taskAt } from '../plan/compiled-definition';
import type { Deciding } from './deciding';

/** Finished tasks that can be undone are undone one by one, last finished first. */
export const startRollback = (deciding: Deciding, error: FailureDetail, task?: TaskPath): void => {
  const { run, definition, now } = deciding;
  const tasks = [...run.tasks.values()]
    .filter(({ path, status }) => status === 'completed' && hasUndo(taskAt(definition, path).spec))
    .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
    .map(({ path }) => path);
  deciding.emitRun({ type: 'RunRollbackStarted', data: { error, ...(task !== undefined && { task }), tasks, at: now } });
  decideRollback(deciding);
};

const hasUndo = (spec: object): boolean => 'undo' in spec && typeof spec.undo === 'object' && spec.undo !== null && 'action' in spec.undo;

export const decideRollback = (deciding: Deciding): void => {
  const { run, now } = deciding;
  run.dirty.clear();
  for (const path of run.rollback?.tasks ?? []) {
    const task = run.tasks.get(path);
    if (task === undefined || task.undo === 'completed') continue;
    if (task.undo === 'failed') return rollbackFailed(deciding, path);
    if (task.undo === 'started' && !deciding.context.isLost(task.executor ?? '')) return;
    deciding.segments.push([{ path, version: task.version, attempt: 1, undo: true }]);
    return;
  }
  deciding.emitRun({ type: 'RunRolledBack', data: { error: run.rollback?.error ?? UNKNOWN, at: now } });
};

const UNKNOWN: FailureDetail = { code: 'UNKNOWN', message: 'the run was rolled back' };

const rollbackFailed = (deciding: Deciding, path: TaskPath): void => {
  const { run, now } = deciding;
  const reason = run.tasks.get(path)?.undoError?.message ?? 'unknown reason';
  const error = { code: 'ROLLBACK_FAILED', message: `${run.rollback?.error.message ?? ''}; undo of ${path} failed: ${reason}` };
  deciding.emit(RUN_STREAM, { type: 'RunFailed', data: { error, task: path, at: now } });
};
