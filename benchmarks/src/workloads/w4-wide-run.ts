import { percentile, rounded } from '../percentiles';
import { logHead } from '../world/log-facts';
import { cpuBetween } from '../world/usage-meter';
import type { World } from '../world/world';

const CHILDREN = 1_000;
const WARM_UPS = 2;
const ROUNDS = 5;
/** Of one run; what a child costs must not grow with its brothers. */
const SIZES = [100, 1_000, 10_000];

/** One run with 1,000 parallel no-op children and then an aggregate over them; the median of five. And what one child costs in runs of other sizes. */
export const w4WideRun = async (world: World): Promise<Record<string, unknown>> => {
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp += 1) await oneRun(world);
  const before = await world.meter.read();
  const after = await logHead(world);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await oneRun(world));
  const cpu = cpuBetween(before, await world.meter.read());
  const totalMs = percentile(times, 0.5);
  return {
    children: CHILDREN,
    totalMs: rounded(totalMs),
    worstMs: rounded(Math.max(...times)),
    childrenPerSecond: Math.round((CHILDREN * 1000) / totalMs),
    eventsPerRun: ((await logHead(world)) - after) / ROUNDS,
    cpuSecondsPer1000Steps: rounded((cpu.totalSeconds / ROUNDS / CHILDREN) * 1000, 3),
    ...(await costBySize(world)),
    cpuByProcess: Object.fromEntries(Object.entries(cpu.byProcess).map(([name, seconds]) => [name, rounded(seconds / ROUNDS, 3)])),
  };
};

/** Of each size: the better time of two, and the most memory that all processes had together. */
const costBySize = async (world: World): Promise<Record<'microsecondsPerChild' | 'peakMemoryMb', Record<string, number>>> => {
  const microsecondsPerChild: Record<string, number> = {};
  const peakMemoryMb: Record<string, number> = {};
  for (const children of SIZES) {
    world.meter.takePeakMb();
    const times = [await oneRun(world, 'bench.children', { children }), await oneRun(world, 'bench.children', { children })];
    microsecondsPerChild[children] = Math.round((Math.min(...times) * 1000) / children);
    peakMemoryMb[children] = world.meter.takePeakMb();
  }
  return { microsecondsPerChild, peakMemoryMb };
};

const oneRun = async ({ client, watch }: World, workflow = 'bench.wide', input = {}): Promise<number> => {
  watch.setPace(5);
  const start = performance.now();
  const { knownAt } = await watch.completed(await client.submit(workflow, input));
  watch.setPace(0);
  return knownAt - start;
};
