import {
  isSignalStream, parentPath, RUN_STREAM, taskPath,
  type DomainEvent, type EffectVerified, type SideEffectRecorded,
  type StartedTask, type TaskPath, type TaskRollbackStarted, type TaskStatus, type TaskTransitioned, type TaskUndoTransitioned,
} from '@foldwork/events/contracts';
import { LEASE_LOST } from '../policies/retry-policy';
import { isActive, isEnded } from '../task/task-machine';
import { addTask } from './add-task';
import { addChild, childIndex, planChildren } from './apply-children';
import { receiveSignal, useSignals } from './apply-signal';
import type { EventPlace } from './fold-run';
import type { RunState, TaskState } from './run.state';

/** Applies an event of a task's or a signal's stream. */
export const applyTaskEvent = (run: RunState, place: EventPlace, event: DomainEvent): void => {
  if (isSignalStream(place.task)) {
    if (event.type === 'SignalReceived') receiveSignal(run, event.data);
    return;
  }
  const task = run.tasks.get(place.task) ?? addVisit(run, place.task);
  task.version = place.version;
  if (event.type === 'TaskTransitioned') transition(run, task, event.data);
  else if (event.type === 'SideEffectRecorded') recordSideEffect(task, event.data);
  else if (event.type === 'EffectVerified') recordVerification(task, event.data);
  else if (event.type === 'TaskUndoTransitioned') recordUndo(run, task, event.data);
  else if (event.type === 'ChildPlanned') addChild(run, task, event.data);
  else if (event.type === 'TaskRollbackStarted') startRollback(run, task, event.data);
};

/** A later visit of a loop (`check#2`) is planned by its first event; it has the type of the first visit. */
const addVisit = (run: RunState, path: TaskPath): TaskState => {
  const siblings = run.tasks.get(parentPath(path))?.children;
  if (siblings !== undefined) siblings.counts.pending += 1;
  return addTask(run, path, run.tasks.get(firstVisit(path))?.type ?? 'basic');
};

const firstVisit = (path: TaskPath): TaskPath => taskPath(path.replace(/#\d+$/, ''));

const transition = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  if (data.transition === 'retry') again(run, task, data);
  else if (data.from === 'pending') begin(run, task, data);
  else if (isEnded(data.to)) end(run, task, data);
  if (data.executor !== undefined && data.transition !== 'retry') task.executor = data.executor;
  if (data.sideEffects !== undefined) task.sideEffects = { ...task.sideEffects, ...data.sideEffects };
  if (data.children !== undefined) planChildren(run, task, data.children);
  if (data.signalId !== undefined) useSignals(run, task, data);
  move(run, task, data.to);
  if (data.starts !== undefined) startNext(run, data.starts, data);
};

const begin = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  task.attempt = data.attempt;
  delete task.takenAt;
  if (isEnded(data.to)) return end(run, task, data);
  task.startedAt = data.at;
  if (data.input !== undefined) task.input = data.input;
  if (data.effect !== undefined) task.effect = data.effect;
  if (data.verify !== undefined) task.verify = data.verify;
  else delete task.verify;
  if (data.until !== undefined) task.until = data.until;
  if (data.waitsFor !== undefined) task.waitsFor = data.waitsFor;
  if (data.childRun === undefined) return;
  task.childRun = data.childRun;
  run.childRuns.set(data.childRun.runId, task.path);
};

const end = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  task.endedAt = data.at;
  if (data.output !== undefined) task.output = data.output;
  if (data.error !== undefined) task.error = data.error;
  else delete task.error;
  if (data.error?.code === LEASE_LOST) task.lost += 1;
  if (data.next !== undefined) task.next = data.next;
  if (data.verify !== undefined) task.verify = data.verify;
  if (data.to === 'completed' || data.to === 'failed') endChildRun(run, task, data);
  const parent = parentPath(task.path);
  if (parent === RUN_STREAM) run.lastEnded = task.path;
  const siblings = run.tasks.get(parent)?.children;
  if (siblings !== undefined) siblings.lastEnded = task.path;
};

/** A child run that can be tried again is named by the failure. A task that was taken away leaves a run behind to cancel. */
const endChildRun = (run: RunState, task: TaskState, { to, childRun }: TaskTransitioned): void => {
  if (task.childRun === undefined) return;
  run.childRuns.delete(task.childRun.runId);
  if (childRun !== undefined) task.childRun = childRun;
  else if (to === 'failed') delete task.childRun;
};

const again = (run: RunState, task: TaskState, data: TaskTransitioned): void => {
  if (data.renewed === true) {
    task.attemptsBefore = task.attempt;
    task.lost = 0;
  }
  if (data.verify !== undefined) task.verify = data.verify;
  else delete task.verify;
  if (data.from === 'canceled' || task.error?.code === LEASE_LOST) task.takenAt = task.endedAt ?? 0;
  if (data.from !== 'failed') delete task.childRun;
  delete task.executor;
  delete task.error;
  delete task.endedAt;
  delete task.until;
  delete task.next;
  const parent = run.tasks.get(parentPath(task.path));
  if (parent?.children !== undefined) parent.children.again.add(childIndex(parent.children, task.path));
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
  const parent = parentPath(task.path);
  const siblings = run.tasks.get(parent)?.children;
  if (siblings !== undefined) {
    siblings.counts[task.status] -= 1;
    siblings.counts[to] += 1;
    if (to === 'failed' || to === 'timed_out') siblings.unsettled.add(task.path);
    else siblings.unsettled.delete(task.path);
  }
  task.status = to;
  run.handed.get(parent)?.delete(task.path);
  if (isActive(to) && task.executor !== undefined) run.executing.add(task.path);
  else run.executing.delete(task.path);
  if (to === 'waiting') run.waiting.add(task.path);
  else run.waiting.delete(task.path);
  run.dirty.add(parent);
  if (isActive(to) && task.executor === undefined) run.dirty.add(task.path);
};

const recordSideEffect = (task: TaskState, { effect }: SideEffectRecorded): void => {
  task.sideEffects = { ...task.sideEffects, ...effect };
};

const recordVerification = (task: TaskState, { answer }: EffectVerified): void => {
  if (answer === 'not_applied') delete task.sideEffects;
};

const startRollback = (run: RunState, task: TaskState, { tasks, error }: TaskRollbackStarted): void => {
  task.rollback = { tasks, error };
  run.dirty.add(task.path);
};

/** Marks every container around it: one of them may be what is being rolled back. */
const recordUndo = (run: RunState, task: TaskState, data: TaskUndoTransitioned): void => {
  // begun again, and nobody said what came of it before
  if (data.error?.code === LEASE_LOST || (data.to === 'started' && task.undo === 'started')) task.undoLost = (task.undoLost ?? 0) + 1;
  task.undo = data.to;
  task.undoAttempt = data.attempt;
  if (data.to !== 'started') task.undoEndedAt = data.at;
  if (data.error !== undefined) task.undoError = data.error;
  if (data.executor !== undefined) task.executor = data.executor;
  if (data.to === 'started') run.executing.add(task.path);
  else run.executing.delete(task.path);
  run.handed.get(parentPath(task.path))?.delete(task.path);
  for (let at = parentPath(task.path); at !== RUN_STREAM; at = parentPath(at)) run.dirty.add(at);
  run.dirty.add(RUN_STREAM);
};
