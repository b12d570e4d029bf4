import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

const LOOP = 'const from = performance.now(); let x = 0; for (let i = 0; i < 4e7; i += 1) x = (x * 31 + i) | 0; console.log(performance.now() - from);';
/** What the loop takes on the machine that limits are meant for, on each core at the same time, with nothing else to do. */
const LOOP_MS = 220;

/** How many times longer than there work takes here and now: other tests use the machine too. Never below 1. */
export const slowness = async (): Promise<number> => {
  const loops = Array.from({ length: availableParallelism() }, async () => Number((await run(process.execPath, ['-e', LOOP])).stdout));
  return Math.max(1, ...(await Promise.all(loops)).map((ms) => ms / LOOP_MS));
};
