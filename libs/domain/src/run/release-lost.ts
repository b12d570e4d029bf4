import { parentPath, RUN_STREAM, type TaskPath } from '@foldwork/events/contracts';
import { LEASE_LOST } from '../policies/retry-policy';
import { isActive } from '../task/task-machine';
import type { Deciding } from './deciding';
import type { RunState } from './run.state';

/** Attempts of executors that can no longer hold them end as failed; the retry policy says what comes next. */
export const releaseLost = (deciding: Deciding): void => {
  for (const path of [...deciding.run.executing]) {
    const task = deciding.run.tasks.get(path);
    if (task?.executor === undefined || !deciding.context.isLost(task.executor)) continue;
    if (isActive(task.status)) deciding.transition(path, 'fail', { error: { code: LEASE_LOST, message: `executor ${task.executor} lost its lease` } });
    else lookAround(deciding.run, path);
  }
};

/** It was being undone: whoever rolls back hands it out again. */
const lookAround = (run: RunState, path: TaskPath): void => {
  for (let at = parentPath(path); at !== RUN_STREAM; at = parentPath(at)) run.dirty.add(at);
};
