import { percentile, rounded } from '../percentiles';
import { logHead } from '../world/log-facts';
import { cpuBetween } from '../world/usage-meter';
import type { World } from '../world/world';

const CHILDREN = 1_000;
const WARM_UPS = 2;
const ROUNDS = 5;

/** One run with 1,000 parallel no-op children and then an aggregate over them; the median of five. */
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
    cpuByProcess: Object.fromEntries(Object.entries(cpu.byProcess).map(([name, seconds]) => [name, rounded(seconds / ROUNDS, 3)])),
  };
};

const oneRun = async ({ client, watch }: World): Promise<number> => {
  watch.setPace(5);
  const start = performance.now();
  const { knownAt } = await watch.completed(await client.submit('bench.wide'));
  watch.setPace(0);
  return knownAt - start;
};
