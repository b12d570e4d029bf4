import {
  childPath, isSignalStream, itemPath, parentPath, taskPath,
  type DomainEvent, type EffectVerified, type PlannedChildren, type SignalReceived, type SideEffectRecorded,
  type StartedTask, type TaskPath, type TaskStatus, type TaskTransitioned, type TaskUndoTransitioned,
} from '@foldwork/events/contracts';
import { isActive, isEnded, TASK_STATUSES } from '../task/task-machine';
import type { EventPlace } from './fold-run';
import type { ChildrenState, RunState, TaskState } from './run.state';

/** Applies an event of a task's or a signal's stream. */
export const applyTaskEvent = (run: RunState, place: EventPlace, event: DomainEvent): void => {
  if (event.type === 'SignalReceived') return receiveSignal(run, place, event.data);
  const task = run.tasks.get(place.task) ?? addVisit(run, place.task);
  task.version = place.version;
  if (event.type === 'TaskTransitioned') transition(run, task, event.data);
  else if (event.type === 'SideEffectRecorded') recordSideEffect(task, event.data);
  else if (event.type === 'EffectVerified') recordVerification(task, event.data);
  else if (event.type === 'TaskUndoTransitioned') recordUndo(run, task, event.data);
};

/** A later visit of a loop (`check#2`) is planned by its first event; it has the type of the first visit. */
const addVisit = (run: RunState, path: TaskPath): TaskState => {
  const siblings = run.tasks.get(parentPath(path))?.children;
  if (siblings !== undefined) siblings.counts.pending += 1;
  return addTask(run, path, run.tasks.get(firstVisit(path))?.type ?? 'basic');
};

const firstVisit = (path: TaskPath): TaskPath => taskPath(path.replace(/#\d+$/, ''));

export const addTask = (run: RunState, path: TaskPath, type: string): TaskState => {
  const task: TaskState = { path, type, status: 'pending', version: 0, attempt: 0, attemptsBefore: 0 };
  run.tasks.set(path, task);
  return task;
};

const transition = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  if (data.transition === 'retry') again(run, task, data);
  else if (data.from === 'pending') begin(task, data);
  else if (isEnded(data.to)) end(task, data);
  if (data.executor !== undefined && data.transition !== 'retry') task.executor = data.executor;
  if (data.sideEffects !== undefined) task.sideEffects = { ...task.sideEffects, ...data.sideEffects };
  if (data.children !== undefined) planChildren(run, task, data.children);
  if (data.signalId !== undefined) consume(run, task, data.signalId);
  move(run, task, data.to);
  if (data.starts !== undefined) startNext(run, data.starts, data);
};

const begin = (task: TaskState, data: TaskTransitioned): void => {
  task.attempt = data.attempt;
  if (isEnded(data.to)) return end(task, data);
  task.startedAt = data.at;
  if (data.input !== undefined) task.input = data.input;
  if (data.effect !== undefined) task.effect = data.effect;
  if (data.verify !== undefined) task.verify = data.verify;
  else delete task.verify;
  if (data.until !== undefined) task.until = data.until;
};

const end = (task: TaskState, data: TaskTransitioned): void => {
  task.endedAt = data.at;
  if (data.output !== undefined) task.output = data.output;
  if (data.error !== undefined) task.error = data.error;
  else delete task.error;
  if (data.next !== undefined) task.next = data.next;
  if (data.verify !== undefined) task.verify = data.verify;
};

const again = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  if (data.renewed === true) task.attemptsBefore = task.attempt;
  if (data.verify !== undefined) task.verify = data.verify;
  delete task.executor;
  delete task.error;
  delete task.endedAt;
  delete task.until;
  const parent = run.tasks.get(parentPath(task.path));
  if (parent?.children !== undefined) parent.children.again.add(childIndex(parent.children.plan, task.path));
};

const startNext = (run: RunState, starts: StartedTask, by: TaskTransitioned): void => {
  const task = run.tasks.get(starts.task) ?? addVisit(run, starts.task);
  task.attempt = starts.attempt;
  task.startedAt = by.at;
  if (by.executor !== undefined) task.executor = by.executor;
  if (starts.input !== undefined) task.input = starts.input;
  if (starts.effect !== undefined) task.effect = starts.effect;
  delete task.verify;
  move(run, task, 'in_progress');
};

/** Changes the status and everything that counts by status. */
const move = (run: RunState, task: TaskState, to: TaskStatus): void => {
  const parent = run.tasks.get(parentPath(task.path));
  if (parent?.children !== undefined) {
    parent.children.counts[task.status] -= 1;
    parent.children.counts[to] += 1;
    if (isActive(to) || to === 'failed') parent.children.open.add(task.path);
    else parent.children.open.delete(task.path);
  }
  task.status = to;
  if (isActive(to) && task.executor !== undefined) run.executing.add(task.path);
  else run.executing.delete(task.path);
  if (to === 'waiting') {
    run.waiting.add(task.path);
    run.dirty.add(task.path);
  } else run.waiting.delete(task.path);
  run.dirty.add(parentPath(task.path));
  if (task.children !== undefined) run.dirty.add(task.path);
};

const planChildren = (run: RunState, task: TaskState, plan: PlannedChildren): void => {
  for (let index = 0; index < plan.childCount; index += 1) {
    addTask(run, plannedChildPath(task.path, plan, index), plan.itemType ?? plan.tasks?.[index]?.type ?? 'basic');
  }
  task.children = emptyChildren(plan);
};

const emptyChildren = (plan: PlannedChildren): ChildrenState => ({
  plan,
  // every status is a key of the result because TASK_STATUSES lists them all
  counts: { ...(Object.fromEntries(TASK_STATUSES.map((status) => [status, 0])) as Record<TaskStatus, number>), pending: plan.childCount },
  firstPending: 0,
  again: new Set(),
  open: new Set(),
});

export const plannedChildPath = (parent: TaskPath, plan: PlannedChildren, index: number): TaskPath =>
  plan.items === undefined ? childPath(parent, plan.tasks?.[index]?.id ?? '') : itemPath(parent, index);

const childIndex = (plan: PlannedChildren, path: TaskPath): number =>
  plan.items === undefined
    ? (plan.tasks ?? []).findIndex(({ id }) => path.endsWith(`/${id}`))
    : Number(path.slice(path.lastIndexOf('[') + 1, -1));

const receiveSignal = (run: RunState, place: EventPlace, signal: SignalReceived): void => {
  if (!isSignalStream(place.task) || run.signals.has(signal.signalId)) return;
  run.signals.set(signal.signalId, { ...signal, consumed: false });
  for (const path of run.waiting) run.dirty.add(path);
};

const consume = (run: RunState, task: TaskState, signalId: string): void => {
  task.signalId = signalId;
  const signal = run.signals.get(signalId);
  if (signal !== undefined) signal.consumed = true;
};

const recordSideEffect = (task: TaskState, { effect }: SideEffectRecorded): void => {
  task.sideEffects = { ...task.sideEffects, ...effect };
};

const recordVerification = (task: TaskState, { answer }: EffectVerified): void => {
  if (answer === 'not_applied') delete task.sideEffects;
};

const recordUndo = (run: RunState, task: TaskState, data: TaskUndoTransitioned): void => {
  task.undo = data.to;
  if (data.error !== undefined) task.undoError = data.error;
  if (data.executor !== undefined) task.executor = data.executor;
  if (data.to === 'started') run.executing.add(task.path);
  else run.executing.delete(task.path);
  run.dirty.add(parentPath(task.path)).add('' as TaskPath);
};
