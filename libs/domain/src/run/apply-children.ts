import {
  childName, childPath, itemPath, taskPath,
  type ChildPlanned, type PlannedChildren, type TaskPath, type TaskStatus,
} from '@foldwork/events/contracts';
import { TASK_STATUSES } from '../task/task-machine';
import { addTask } from './add-task';
import { signalItem } from './apply-signal';
import type { ChildrenState, RunState, TaskState } from './run.state';

export const planChildren = (run: RunState, task: TaskState, plan: PlannedChildren): void => {
  for (let index = 0; index < plan.childCount; index += 1) {
    addTask(run, plannedChildPath(task.path, plan, index), plan.itemType ?? plan.tasks?.[index]?.type ?? 'basic');
  }
  task.children = emptyChildren(plan);
};

const emptyChildren = (plan: PlannedChildren): ChildrenState => ({
  plan,
  indexById: new Map(plan.tasks?.map(({ id }, index) => [id, index])),
  // every status is a key of the result because TASK_STATUSES lists them all
  counts: { ...(Object.fromEntries(TASK_STATUSES.map((status) => [status, 0])) as Record<TaskStatus, number>), pending: plan.childCount },
  firstFree: 0,
  again: new Set(),
  unsettled: new Set(),
});

/** One more child of a wait: its processor for one signal. */
export const addChild = (run: RunState, task: TaskState, { index, type, signalId }: ChildPlanned): void => {
  task.children ??= emptyChildren({ childCount: 0, items: [] });
  const { children } = task;
  const item = signalItem(run.signals.get(signalId));
  children.plan = { ...children.plan, childCount: index + 1, items: [...(children.plan.items ?? []), item] };
  children.counts.pending += 1;
  addTask(run, itemPath(task.path, index), type);
  run.dirty.add(task.path);
};

export const plannedChildPath = (parent: TaskPath, plan: PlannedChildren, index: number): TaskPath =>
  plan.items === undefined ? childPath(parent, plan.tasks?.[index]?.id ?? '') : itemPath(parent, index);

/** Where a child stands in its container; -1 for a later visit of a loop. */
export const childIndex = ({ plan, indexById }: ChildrenState, path: TaskPath): number =>
  plan.items === undefined ? (indexById.get(childName(path)) ?? -1) : (itemIndex(path) ?? -1);

/** `images[3]` → 3; undefined for a path that is no item's. */
export const itemIndex = (path: TaskPath): number | undefined =>
  path.endsWith(']') ? Number(path.slice(path.lastIndexOf('[') + 1, -1)) : undefined;

/** Every visit of a list's task that exists: `check`, `check#2`, … */
export const visitsOf = (run: RunState, path: TaskPath): TaskState[] => {
  const visits: TaskState[] = [];
  let task = run.tasks.get(path);
  for (let visit = 2; task !== undefined; visit += 1) {
    visits.push(task);
    task = run.tasks.get(taskPath(`${path}#${visit}`));
  }
  return visits;
};
