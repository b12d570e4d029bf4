import { childPath, parentPath, RUN_STREAM, type TaskPath } from '@foldwork/events/contracts';
import { isUnsuccessful } from '../task/task-machine';
import { plannedChildPath, visitsOf } from './apply-children';
import type { Emission } from './emission';
import type { RunState, TaskState } from './run.state';

/**
 * Trying a failed run, or a failed container, again: what ended without success on the way that led to the failure gets a
 * fresh budget. Completed tasks are never touched, and neither are failures that a transition dealt with.
 */
export const renewRun = (emission: Emission, facts: { readonly automatic: boolean; readonly reason?: string }): void => {
  const { run, now } = emission;
  const tasks = failedTasks(run);
  emission.emitRun({ type: 'RunRetried', data: { attempt: run.attempt + 1, ...facts, tasks: tasks.map(({ path }) => path), at: now } });
  for (const { path } of tasks) emission.transition(path, 'retry', { renewed: true });
};

/** A person settled an escalated task: the containers around it, which ended because of it, go on. */
export const renewAround = (emission: Emission, path: TaskPath, reason: string): void => {
  const { run, now } = emission;
  const around: TaskState[] = [];
  for (let at = parentPath(path); at !== RUN_STREAM; at = parentPath(at)) {
    const task = run.tasks.get(at);
    if (task !== undefined && isUnsuccessful(task.status)) around.push(task, ...siblingsTakenAway(run, at, path));
  }
  const tasks = [...new Set(around.map((task) => task.path))]; // what was taken away inside an inner one is also inside the outer ones
  emission.emitRun({ type: 'RunRetried', data: { attempt: run.attempt + 1, automatic: false, tasks, reason, at: now } });
  for (const task of tasks) emission.transition(task, 'retry', { renewed: true });
};

/** What was canceled when the container failed. */
const siblingsTakenAway = (run: RunState, container: TaskPath, except: TaskPath): TaskState[] =>
  failedBelow(run, container).filter(({ path, status }) => status === 'canceled' && path !== except);

/** The tasks under a container that is tried again. */
export const renewBelow = (emission: Emission, path: TaskPath): void => {
  for (const task of failedBelow(emission.run, path)) emission.transition(task.path, 'retry', { renewed: true });
};

/** A run, or a task, of which parts were undone cannot go on where it stopped. */
export const canBeRetried = (run: RunState): boolean => run.rollback === undefined && failedTasks(run).every(({ rollback }) => rollback === undefined);

const failedTasks = (run: RunState): TaskState[] => {
  const roots = run.rootTasks.map((id) => childPath(RUN_STREAM, id));
  return stoppedIn(run, roots, run.failedTask ?? run.lastEnded).flatMap((path) => withBelow(run, path));
};

const withBelow = (run: RunState, path: TaskPath): TaskState[] => {
  const task = run.tasks.get(path);
  if (task === undefined || !isUnsuccessful(task.status) || task.status === 'escalated') return [];
  return [task, ...failedBelow(run, path)];
};

/** None below one that was rolled back: it cannot go on. */
const failedBelow = (run: RunState, path: TaskPath): TaskState[] => {
  const { children, rollback } = run.tasks.get(path) ?? {};
  if (children === undefined || rollback !== undefined) return [];
  const planned = Array.from({ length: children.plan.childCount }, (_, index) => plannedChildPath(path, children.plan, index));
  const stopped = children.plan.strategy === undefined ? stoppedIn(run, planned, children.lastEnded) : planned;
  return stopped.flatMap((child) => withBelow(run, child));
};

/** Of a list: the task by which it failed, since it went on after any other failure; and those taken away from it. */
const stoppedIn = (run: RunState, list: readonly TaskPath[], failed: TaskPath | undefined): TaskPath[] =>
  list
    .flatMap((path) => visitsOf(run, path))
    .filter(({ path, status }) => path === failed || status === 'canceled')
    .map(({ path }) => path);
