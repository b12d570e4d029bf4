import { setTimeout as sleep } from 'node:timers/promises';
import { logHead, runSpansMs } from '../world/log-facts';
import type { World } from '../world/world';
import { percentiles } from './w2-one-at-a-time';

const RUNS_PER_SECOND = 50;
const SECONDS = 30;
const WARM_UP_SECONDS = 2;

/** 50 runs of 10 steps a second, whether or not those before have ended: time from when a run was due to be sent. */
export const w3OpenLoop = async (world: World): Promise<Record<string, unknown>> => {
  const warmUp = await logHead(world);
  await openLoop(world, WARM_UP_SECONDS);
  const after = await logHead(world);
  world.watch.expect(after, (after - warmUp) / (WARM_UP_SECONDS * RUNS_PER_SECOND));
  const times = await openLoop(world, SECONDS);
  world.watch.expect(0, 0);
  return { runsPerSecond: RUNS_PER_SECOND, seconds: SECONDS, ...percentiles('', times), ...percentiles('log', await runSpansMs(world, after)) };
};

const openLoop = async ({ client, watch }: World, seconds: number): Promise<number[]> => {
  const start = performance.now();
  const times: Promise<number>[] = [];
  for (let run = 0; run < seconds * RUNS_PER_SECOND; run += 1) {
    const dueAt = start + (run * 1000) / RUNS_PER_SECOND;
    await sleep(Math.max(0, dueAt - performance.now()));
    times.push(client.submit('bench.steps').then((runId) => watch.completed(runId)).then(({ knownAt }) => knownAt - dueAt));
  }
  return Promise.all(times);
};
