import type { FailureDetail, SegmentTask, TaskPath } from '@foldwork/events/contracts';
import { taskAt, type CompiledDefinition } from '../plan/compiled-definition';
import { isRetryable, LEASE_LOST, retryDelayMs } from '../policies/retry-policy';
import { isUnsuccessful } from '../task/task-machine';
import { isOnce, LOST_FREE } from './attempts';
import type { Deciding } from './deciding';
import type { RollbackState, RunState, TaskState } from './run.state';

/**
 * Finished tasks below `base` that can be undone, in the order in which they are undone: last finished first. Tasks whose
 * effect may have happened although they did not complete are among them; they are verified first.
 */
export const undoOrder = (run: RunState, definition: CompiledDefinition, base: TaskPath): TaskPath[] =>
  [...run.tasks.values()]
    .filter((task) => isBelow(task.path, base) && task.undo !== 'completed' && canBeUndone(task, definition))
    .reverse()
    .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
    .map(({ path }) => path);

const isBelow = (path: TaskPath, base: TaskPath): boolean =>
  base === '' || (path.startsWith(base) && (path[base.length] === '/' || path[base.length] === '['));

const canBeUndone = (task: TaskState, definition: CompiledDefinition): boolean => {
  const { undo } = taskAt(definition, task.path);
  return undo !== undefined && (task.status === 'completed' || isDoubtful(task, definition));
};

/** A `once` effect that was begun and whose end nobody knows: the task's or the action's own `verify` can be asked. */
const isDoubtful = (task: TaskState, definition: CompiledDefinition): boolean =>
  isUnsuccessful(task.status) && task.startedAt !== undefined && isOnce(taskAt(definition, task.path), task);

export type UndoProgress = { readonly status: 'open' } | { readonly status: 'done' } | { readonly status: 'failed'; readonly task: TaskPath; readonly error: FailureDetail };

/** Undoes one task after another; `base` is looked at again when the next try is due. */
export const driveUndo = (deciding: Deciding, base: TaskPath, { tasks }: RollbackState): UndoProgress => {
  for (const path of tasks) {
    const task = deciding.run.tasks.get(path);
    if (task === undefined || task.undo === 'completed') continue;
    if (task.undo === 'started' && !deciding.context.isLost(task.executor ?? '')) return { status: 'open' };
    const moment = nextTry(deciding, task);
    if (moment === undefined) return { status: 'failed', task: path, error: undoFailure(task) };
    if (moment > deciding.now) deciding.wakeAt(base, moment);
    else deciding.handOut([undoSegment(task)]);
    return { status: 'open' };
  }
  return { status: 'done' };
};

/** The first try of a doubtful effect waits, since that may still be on its way. One that was lost is made again at once. */
const nextTry = ({ definition, context, now }: Deciding, task: TaskState): number | undefined => {
  if (task.undo === undefined) return task.status === 'completed' ? now : (task.endedAt ?? 0) + context.quarantineMs;
  const { retry } = taskAt(definition, task.path);
  const isLost = task.undo === 'started';
  const used = (task.undoAttempt ?? 0) - Math.min((task.undoLost ?? 0) + (isLost ? 1 : 0), LOST_FREE);
  if (used >= retry.maximumAttempts) return undefined;
  if (isLost || task.undoError?.code === LEASE_LOST) return now;
  return isRetryable(retry, task.undoError) ? (task.undoEndedAt ?? 0) + retryDelayMs(retry, used + 1) : undefined;
};

const undoFailure = ({ undo, undoError, executor }: TaskState): FailureDetail =>
  undo === 'started' || undoError === undefined ? { code: LEASE_LOST, message: `executor ${executor} lost its lease` } : undoError;

const undoSegment = (task: TaskState): SegmentTask => ({
  path: task.path,
  version: task.version,
  attempt: (task.undoAttempt ?? 0) + 1,
  undo: true,
  ...(task.status !== 'completed' && { verify: 'first' as const }),
  ...(task.sideEffects !== undefined && { sideEffects: task.sideEffects }),
});
