import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAction, type Action } from '@foldwork/actions';

/** Set for W5 only: each execution of `bench.pause` adds a line to this file, outside of the log that is under test. */
const EXECUTIONS_VARIABLE = 'FOLDWORK_BENCH_EXECUTIONS';
const PAUSE_MS = 20;

/** What the executor runs in the benchmarks. Loaded by path, as a user's actions are. */
export const actions = (): Action<never>[] => {
  const path = process.env[EXECUTIONS_VARIABLE];
  const executions = path === undefined ? undefined : openSync(path, 'a');
  return [
    defineAction({ name: 'bench.noop', effect: 'none', run: () => ({ ok: true }) }),
    defineAction({
      name: 'bench.pause',
      effect: 'none',
      run: async (_input, { runId, task }) => {
        if (executions !== undefined) writeSync(executions, `${runId} ${task} ${Date.now()}\n`);
        await sleep(PAUSE_MS);
        return { ok: true };
      },
    }),
  ] as unknown as Action<never>[]; // inputs are not looked at
};
