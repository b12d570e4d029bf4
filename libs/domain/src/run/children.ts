import { plannedChildPath } from './apply-task-event';
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
 * Indexes of pending children in order. Begins where the last search found nothing before, so that a container of any
 * size costs the same per child; children that went back to pending are remembered apart.
 */
export const nextPending = (run: RunState, { path, children }: TaskState, limit: number, indexLimit: number): number[] => {
  if (children === undefined || limit <= 0) return [];
  const isPending = (index: number): boolean => run.tasks.get(plannedChildPath(path, children.plan, index))?.status === 'pending';
  for (const index of children.again) if (!isPending(index)) children.again.delete(index);
  const found = [...children.again].filter((index) => index < indexLimit).sort((a, b) => a - b).slice(0, limit);
  while (children.firstPending < children.plan.childCount && !isPending(children.firstPending)) children.firstPending += 1;
  const end = Math.min(indexLimit, children.plan.childCount);
  for (let index = children.firstPending; index < end && found.length < limit; index += 1) {
    if (isPending(index) && !children.again.has(index)) found.push(index);
  }
  return found;
};
