import { childIndex, plannedChildPath } from './apply-children';
import type { RunState, TaskState } from './run.state';

/** All children of a container, in index order. */
export const childStates = (run: RunState, { path, children }: TaskState): TaskState[] => {
  const states: TaskState[] = [];
  for (let index = 0; children !== undefined && index < children.plan.childCount; index += 1) {
    const state = run.tasks.get(plannedChildPath(path, children.plan, index));
    if (state !== undefined) states.push(state);
  }
  return states;
};

/**
 * Indexes of pending children in order that nobody was asked to run. Goes on where the last search ended, so that a
 * container of any size costs the same per child; those that went back to pending, and those whose command may be lost,
 * are remembered apart.
 */
export const nextPending = (run: RunState, task: TaskState, limit: number, indexLimit: number): number[] => {
  const { path, children } = task;
  if (children === undefined || limit <= 0) return [];
  const pathOf = (index: number) => plannedChildPath(path, children.plan, index);
  const isPending = (index: number): boolean => run.tasks.get(pathOf(index))?.status === 'pending';
  const found = [...comeBack(run, task, isPending)].filter((index) => index < indexLimit).sort((a, b) => a - b).slice(0, limit);
  const end = Math.min(indexLimit, children.plan.childCount);
  while (children.firstFree < end && found.length < limit) {
    const index = children.firstFree;
    children.firstFree += 1;
    if (isPending(index) && !found.includes(index) && run.handed.get(path)?.get(pathOf(index))?.isSent !== true) found.push(index);
  }
  for (const index of found) children.again.add(index); // until it is handed out it may be asked for again
  return found;
};

/** Pending children before the place where the search stands. */
const comeBack = (run: RunState, { path, children }: TaskState, isPending: (index: number) => boolean): Set<number> => {
  const back = new Set<number>();
  if (children === undefined) return back;
  const handed = run.handed.get(path);
  for (const [child, { isSent }] of handed ?? []) if (!isSent) back.add(childIndex(children, child));
  for (const index of children.again) {
    if (!isPending(index) || handed?.get(plannedChildPath(path, children.plan, index))?.isSent === true) children.again.delete(index);
    else back.add(index);
  }
  return back;
};

/** Children that are pending but somebody was asked to run. */
export const handedOutCount = (run: RunState, { path }: TaskState): number => {
  let count = 0;
  for (const { isSent } of run.handed.get(path)?.values() ?? []) if (isSent) count += 1;
  return count;
};

/** Every command may be lost: they are sent again when their list or container is looked at. `from`: nobody could take them before. */
export const forgetHandedOut = (run: RunState, from = 0): void => {
  for (const [parent, siblings] of run.handed) {
    for (const handed of siblings.values()) {
      handed.isSent = false;
      handed.since = Math.max(handed.since, from);
    }
    if (siblings.size > 0) run.dirty.add(parent);
  }
};

