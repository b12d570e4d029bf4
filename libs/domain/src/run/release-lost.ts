import { LEASE_LOST } from '../policies/retry-policy';
import type { Deciding } from './deciding';

/** Attempts of executors that can no longer hold them end as failed; the retry policy says what comes next. */
export const releaseLost = (deciding: Deciding): void => {
  for (const path of [...deciding.run.executing]) {
    const task = deciding.run.tasks.get(path);
    if (task?.executor === undefined || !deciding.context.isLost(task.executor)) continue;
    deciding.transition(path, 'fail', { error: { code: LEASE_LOST, message: `executor ${task.executor} lost its lease` } });
  }
};
