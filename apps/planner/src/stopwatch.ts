import type { TaskPath } from '@foldwork/events';

/** Whether so much time has passed since it was first asked about this task. For one decision. */
export const stopwatch = (): ((task: TaskPath, limitMs: number) => boolean) => {
  const begun = new Map<TaskPath, number>();
  return (task, limitMs) => {
    const now = performance.now();
    const since = begun.get(task) ?? now;
    begun.set(task, since);
    return now - since >= limitMs;
  };
};
