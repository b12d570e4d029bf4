import { RUN_STREAM, type TaskPath } from '@foldwork/events/contracts';
import { taskAt, type CompiledList } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import { plannedChildPath, visitsOf } from './apply-children';
import type { Deciding } from './deciding';
import { visitToCome } from './list-walk';
import type { TaskState } from './run.state';

/** Cancels whatever is not ended below a path, deepest last; the path itself stays. */
export const cancelBelow = (deciding: Deciding, path: TaskPath): void => {
  const children = deciding.run.tasks.get(path)?.children;
  if (children === undefined) return;
  cancelToCome(deciding, taskAt(deciding.definition, path).list, path);
  if (!hasOpen(children.counts)) return;
  for (let index = 0; index < children.plan.childCount; index += 1) {
    for (const task of visitsOf(deciding.run, plannedChildPath(path, children.plan, index))) cancelTask(deciding, task);
  }
};

const cancelToCome = (deciding: Deciding, list: CompiledList | undefined, base: TaskPath): void => {
  const path = list && visitToCome(deciding, list, base);
  if (path !== undefined) deciding.transition(path, 'cancel');
};

const hasOpen = (counts: NonNullable<TaskState['children']>['counts']): boolean =>
  counts.pending + counts.assigned + counts.in_progress + counts.waiting > 0;

const cancelTask = (deciding: Deciding, { path, status }: TaskState): void => {
  if (status !== 'pending' && !isActive(status)) return;
  cancelBelow(deciding, path);
  deciding.transition(path, 'cancel');
};

/**
 * Takes every active task away from whoever has it; and pending ones too where a command for them may be on its way:
 * writing to the task a segment is at, or begins with, fences the whole segment.
 */
export const cancelTasks = (deciding: Deciding, pendingToo: boolean): void => {
  if (pendingToo && deciding.run.planned) cancelToCome(deciding, deciding.definition.root, RUN_STREAM);
  for (const { path, status, children } of [...deciding.run.tasks.values()]) {
    if (pendingToo && isActive(status) && children !== undefined) cancelToCome(deciding, taskAt(deciding.definition, path).list, path);
    if (isActive(status) || (pendingToo && status === 'pending')) deciding.transition(path, 'cancel');
  }
};
