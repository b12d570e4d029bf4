import { plannedChildPath } from './apply-children';
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
 * Indexes of pending children in order that nobody was asked to run. Begins where the last search found nothing before, so
 * that a container of any size costs the same per child; children that went back to pending are remembered apart.
 */
export const nextPending = (run: RunState, { path, children }: TaskState, limit: number, indexLimit: number): number[] => {
  if (children === undefined || limit <= 0) return [];
  const handed = run.handed.get(path);
  const pathOf = (index: number) => plannedChildPath(path, children.plan, index);
  const isPending = (index: number): boolean => run.tasks.get(pathOf(index))?.status === 'pending';
  const isFree = (index: number): boolean => isPending(index) && handed?.get(pathOf(index))?.isSent !== true;
  for (const index of children.again) if (!isPending(index)) children.again.delete(index);
  const found = [...children.again].filter((index) => index < indexLimit && isFree(index)).sort((a, b) => a - b).slice(0, limit);
  while (children.firstPending < children.plan.childCount && !isPending(children.firstPending)) children.firstPending += 1;
  const end = Math.min(indexLimit, children.plan.childCount);
  for (let index = children.firstPending; index < end && found.length < limit; index += 1) {
    if (!children.again.has(index) && isFree(index)) found.push(index);
  }
  return found;
};

/** Children that are pending but somebody was asked to run. */
export const handedOutCount = (run: RunState, { path }: TaskState): number => {
  let count = 0;
  for (const { isSent } of run.handed.get(path)?.values() ?? []) if (isSent) count += 1;
  return count;
};

/** Every command may be lost: they are sent again when their list or container is looked at. */
export const forgetHandedOut = (run: RunState): void => {
  for (const [parent, siblings] of run.handed) {
    for (const handed of siblings.values()) handed.isSent = false;
    if (siblings.size > 0) run.dirty.add(parent);
  }
};

