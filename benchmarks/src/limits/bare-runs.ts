import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { percentiles } from '../percentiles';

const STEPS = 10;
const RUNS = 300;
const RUNS_PER_SECOND = 50;
const SECONDS = 10;
const DATA = JSON.stringify({ status: 'completed', output: { ok: true } });

/**
 * What a run of ten steps costs without an engine: ten rows, one commit each, one after the other. `bareRun…`: one run at
 * a time, as in W2; `bareLoad…`: 50 runs a second, as in W3. The tail says what the disk and the machine do by themselves.
 */
export const bareRuns = async (url: string): Promise<Record<string, number>> => {
  const pool = new Pool({ connectionString: url, application_name: 'bench-bare', max: 8 });
  try {
    await pool.query('CREATE TABLE bench_steps (run uuid NOT NULL, step integer NOT NULL, data text NOT NULL, PRIMARY KEY (run, step))');
    await openLoop(pool, 1);
    const alone: number[] = [];
    for (let run = 0; run < RUNS; run += 1) alone.push(await runMs(pool));
    return { ...percentiles('bareRun', alone), ...percentiles('bareLoad', await openLoop(pool, SECONDS)) };
  } finally {
    await pool.end();
  }
};

const openLoop = async (pool: Pool, seconds: number): Promise<number[]> => {
  const start = performance.now();
  const runs: Promise<number>[] = [];
  for (let run = 0; run < seconds * RUNS_PER_SECOND; run += 1) {
    await sleep(Math.max(0, start + (run * 1000) / RUNS_PER_SECOND - performance.now()));
    runs.push(runMs(pool));
  }
  return Promise.all(runs);
};

const runMs = async (pool: Pool): Promise<number> => {
  const start = performance.now();
  const run = randomUUID();
  for (let step = 1; step <= STEPS; step += 1) {
    await pool.query({ name: 'bare', text: 'INSERT INTO bench_steps VALUES ($1, $2, $3)', values: [run, step, DATA] });
  }
  return performance.now() - start;
};
