import { percentiles } from '../percentiles';
import { logHead, runSpansMs, stepGapsMs } from '../world/log-facts';
import type { World } from '../world/world';
import { STEPS_PER_RUN } from '../workflows';
import { phasesOf, type ClientTimes } from './run-phases';

const RUNS = 200;
const WARM_UP_RUNS = 200;

/** One run of 10 steps after the other: from the moment the request is sent until the client knows of the end. */
export const w2OneAtATime = async (world: World): Promise<Record<string, unknown>> => {
  const warmUp = await logHead(world);
  for (let run = 0; run < WARM_UP_RUNS; run += 1) await oneRun(world);
  const after = await logHead(world);
  world.watch.expect(after, (after - warmUp) / WARM_UP_RUNS);
  const runs: ClientTimes[] = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await oneRun(world));
  world.watch.expect(0, 0);
  const times = runs.map(({ sentAt, knownAt }) => knownAt - sentAt);
  return {
    runs: RUNS,
    ...percentiles('run', times),
    ...percentiles('step', times.map((time) => time / STEPS_PER_RUN)),
    ...percentiles('log', await runSpansMs(world, after)),
    ...percentiles('betweenSteps', await stepGapsMs(world, after)),
    phases: await phasesOf(world, runs),
  };
};

/** One run as its client sees it. */
export const oneRun = async ({ client, watch }: World): Promise<ClientTimes> => {
  const sentAt = performance.now();
  const runId = await client.submit('bench.steps');
  const answeredAt = performance.now();
  const { knownAt } = await watch.completed(runId);
  return { runId, sentAt, answeredAt, knownAt };
};
