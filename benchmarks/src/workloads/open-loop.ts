import { setTimeout as sleep } from 'node:timers/promises';

export const RUNS_PER_SECOND = 50;

/** Begins 50 runs a second, whether or not those before have ended; each is told how many milliseconds too late it began. */
export const openLoop = async <T>(seconds: number, begin: (lateMs: number) => Promise<T>): Promise<T[]> => {
  const start = performance.now();
  const runs: Promise<T>[] = [];
  for (let run = 0; run < seconds * RUNS_PER_SECOND; run += 1) {
    const dueAt = start + (run * 1000) / RUNS_PER_SECOND;
    await sleep(Math.max(0, dueAt - performance.now()));
    runs.push(begin(performance.now() - dueAt));
  }
  return Promise.all(runs);
};
