import { percentiles } from '../percentiles';
import { logHead, runSpansMs } from '../world/log-facts';
import type { World } from '../world/world';
import { openLoop, RUNS_PER_SECOND } from './open-loop';
import { phasesOf, type ClientTimes } from './run-phases';
import { oneRun } from './w2-one-at-a-time';

const SECONDS = 30;
const WARM_UP_SECONDS = 2;

interface SentRun extends ClientTimes {
  /** How much later than planned it was sent: the generator's own fault, and small, or the figures are worth nothing. */
  readonly lateMs: number;
}

/** 50 runs of 10 steps a second, whether or not those before have ended: from sending to knowing of the end. */
export const w3OpenLoop = async (world: World): Promise<Record<string, unknown>> => {
  const warmUp = await logHead(world);
  await runsFor(world, WARM_UP_SECONDS);
  const after = await logHead(world);
  world.watch.expect(after, (after - warmUp) / (WARM_UP_SECONDS * RUNS_PER_SECOND));
  const runs = await runsFor(world, SECONDS);
  world.watch.expect(0, 0);
  return {
    runsPerSecond: RUNS_PER_SECOND,
    seconds: SECONDS,
    ...percentiles('', runs.map(({ sentAt, knownAt }) => knownAt - sentAt)),
    ...percentiles('log', await runSpansMs(world, after)),
    ...percentiles('sentLate', runs.map(({ lateMs }) => lateMs)),
    phases: await phasesOf(world, runs),
  };
};

const runsFor = (world: World, seconds: number): Promise<SentRun[]> => openLoop(seconds, async (lateMs) => ({ ...(await oneRun(world)), lateMs }));
