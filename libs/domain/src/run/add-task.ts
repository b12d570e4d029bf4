import type { TaskPath } from '@foldwork/events/contracts';
import type { RunState, TaskState } from './run.state';

export const newTask = (path: TaskPath, type: string): TaskState => ({
  path, type, status: 'pending', version: 0, attempt: 0, attemptsBefore: 0, lost: 0,
});

/** Puts a planned task into the run. */
export const addTask = (run: RunState, path: TaskPath, type: string): TaskState => {
  const task = newTask(path, type);
  run.tasks.set(path, task);
  return task;
};
