import { measureLimits } from './limits/limits';
import type { Options } from './options';
import { profileThroughput } from './profile/profile-throughput';
import { machineFacts } from './report/machine-facts';
import { printRatios } from './report/ratios';
import { w1Throughput } from './workloads/w1-throughput';
import { w2OneAtATime } from './workloads/w2-one-at-a-time';
import { w3OpenLoop } from './workloads/w3-open-loop';
import { World } from './world/world';

/** One member per workload, and `limits`, with the keys that the project's goals are written in. */
export type Result = Record<string, Record<string, unknown>>;

type Measurement = (world: World) => Promise<Record<string, unknown>>;

/** Measures what was asked for, prints each part as soon as it is known. */
export const measure = async (options: Options): Promise<Result> => {
  const result: Result = { machine: await machineFacts() };
  const shared: [string, Measurement][] = [
    ['W1', (world) => w1Throughput(world, options.rounds)],
    ['W2', w2OneAtATime],
    ['W3', w3OpenLoop],
  ];
  const wanted = shared.filter(([name]) => options.parts.has(name as never));
  if (wanted.length > 0) {
    const world = await World.start();
    for (const [name, run] of wanted) report(result, name, await run(world));
    await world.close();
  }
  if (options.parts.has('limits')) report(result, 'limits', await measureLimits(Number(result['W1']?.['eventsPerCommit'] ?? DEFAULT_BATCH)));
  if (options.profile) report(result, 'profile', await profileThroughput());
  printRatios(result);
  return result;
};

/** Events per commit where W1 was not measured. */
const DEFAULT_BATCH = 64;

const report = (result: Result, name: string, figures: Record<string, unknown>): void => {
  result[name] = figures;
  console.log(`${name} ${JSON.stringify(figures, null, 2)}`);
};
