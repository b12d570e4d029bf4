import { isUnsuccessful } from '../task/task-machine';
import type { Emission } from './emission';

/** Begins a run again: every unsuccessful task gets a fresh budget; completed ones are never touched. */
export const renewRun = (emission: Emission, facts: { readonly automatic: boolean; readonly reason?: string }): void => {
  const { run, now } = emission;
  const tasks = [...run.tasks.values()].filter(({ status }) => isUnsuccessful(status) && status !== 'escalated');
  emission.emitRun({ type: 'RunRetried', data: { attempt: run.attempt + 1, ...facts, tasks: tasks.map(({ path }) => path), at: now } });
  for (const { path } of tasks) emission.transition(path, 'retry', { renewed: true });
};
