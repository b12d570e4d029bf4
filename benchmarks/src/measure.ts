import { cpus } from 'node:os';
import { measureLimits } from './limits/limits';
import type { Options, Part } from './options';
import { rounded } from './percentiles';
import { profileThroughput } from './profile/profile-throughput';
import { machineFacts } from './report/machine-facts';
import { addRatios } from './report/ratios';
import { soak } from './workloads/soak';
import { w1Throughput } from './workloads/w1-throughput';
import { w2OneAtATime } from './workloads/w2-one-at-a-time';
import { w3OpenLoop } from './workloads/w3-open-loop';
import { w4WideRun } from './workloads/w4-wide-run';
import { w5KilledExecutor } from './workloads/w5-killed-executor';
import { w6Timers } from './workloads/w6-timers';
import { foreignSeconds, machineLoad, quietMachine } from './world/machine-load';
import { settledDisk } from './world/settled-disk';
import { World } from './world/world';

/** One member per workload, and `limits`, with the keys that the project's goals are written in. */
export type Result = Record<string, Record<string, unknown>>;

type Figures = Record<string, unknown>;

/** Events per commit where W1 was not measured. */
const DEFAULT_BATCH = 64;

/** Measures what was asked for, prints each part as soon as it is known. */
export const measure = async (options: Options): Promise<Result> => {
  const result: Result = { machine: await machineFacts() };
  await measureShared(options, result);
  const further: [boolean, string, () => Promise<Figures>][] = [
    [options.parts.has('W5'), 'W5', w5KilledExecutor],
    [options.parts.has('limits'), 'limits', () => measureLimits(Number(result['W1']?.['eventsPerCommit'] ?? DEFAULT_BATCH))],
    [options.parts.has('memory'), 'memory', () => withWorld((world) => soak(world, options.soakRuns))],
    [options.profile, 'profile', profileThroughput],
  ];
  for (const [isWanted, name, run] of further) {
    if (!isWanted) continue;
    await quietMachine(options.quietSeconds);
    report(result, name, await run());
  }
  addRatios(result);
  return result;
};

/** The workloads that leave the services as they found them share one world, warm and with a log that grows. */
const measureShared = async ({ parts, rounds, quietSeconds }: Options, result: Result): Promise<void> => {
  const shared: [Part, (world: World) => Promise<Figures>][] = [
    ['W1', (world) => w1Throughput(world, rounds)], ['W2', w2OneAtATime], ['W3', w3OpenLoop], ['W4', w4WideRun], ['W6', w6Timers],
  ];
  const wanted = shared.filter(([name]) => parts.has(name));
  if (wanted.length === 0) return;
  await withWorld(async (world) => {
    for (const [name, run] of wanted) {
      await settledDisk(world.database);
      await quietMachine(quietSeconds);
      report(result, name, await withForeignShare(world, () => run(world)));
    }
  });
};

const withWorld = async <T>(work: (world: World) => Promise<T>): Promise<T> => {
  const world = await World.start();
  try {
    return await work(world);
  } finally {
    await world.close();
  }
};

/** How much of the machine others used meanwhile, and the host took away: above a few percent the figures say more about them. */
const withForeignShare = async (world: World, run: () => Promise<Figures>): Promise<Figures> => {
  const [startedAt, load, use] = [performance.now(), machineLoad(), await world.meter.read()];
  const figures = await run();
  const now = machineLoad();
  const foreign = foreignSeconds(load, now, (await world.meter.read()).totalSeconds - use.totalSeconds);
  const available = (cpus().length * (performance.now() - startedAt)) / 1000;
  return { ...figures, foreignShare: rounded(foreign / available), stolenShare: rounded((now.stolenSeconds - load.stolenSeconds) / available) };
};

const report = (result: Result, name: string, figures: Figures): void => {
  result[name] = figures;
  console.log(`${name} ${JSON.stringify(figures, null, 2)}`);
};
