import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { percentiles } from '../percentiles';
import { STEPS_PER_RUN } from '../workflows';
import { openLoop } from '../workloads/open-loop';

const RUNS = 300;
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
    await openLoop(1, () => runMs(pool));
    const alone: number[] = [];
    for (let run = 0; run < RUNS; run += 1) alone.push(await runMs(pool));
    return { ...percentiles('bareRun', alone), ...percentiles('bareLoad', await openLoop(SECONDS, () => runMs(pool))) };
  } finally {
    await pool.end();
  }
};

const runMs = async (pool: Pool): Promise<number> => {
  const start = performance.now();
  const run = randomUUID();
  for (let step = 1; step <= STEPS_PER_RUN; step += 1) {
    await pool.query({ name: 'bare', text: 'INSERT INTO bench_steps VALUES ($1, $2, $3)', values: [run, step, DATA] });
  }
  return performance.now() - start;
};
