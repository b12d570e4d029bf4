import { rounded } from '../percentiles';
import { throughputRound, type ThroughputRound } from '../workloads/w1-throughput';
import { World } from '../world/world';
import { profileServices } from './profile-services';
import type { TimesByName } from './self-times';
import { profileStatements } from './statement-times';

/** What takes less of its process is not named. */
const SHARE_MINIMUM = 0.015;
const LINES_MAX = 30;
const PROFILED_RUNS = 6_000;

/** W1 once more, each service profiled and the statements of Postgres timed: where its CPU goes. */
export const profileThroughput = async (): Promise<Record<string, unknown>> => {
  const world = await World.start({ profile: true });
  try {
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await throughputRound(world);
    let round: ThroughputRound | undefined;
    let times = new Map<string, TimesByName>();
    const statements = await profileStatements(world, async () => {
      times = await profileServices(world, async () => (round = await throughputRound(world, { runs: PROFILED_RUNS })));
    });
    if (round === undefined) throw new Error('nothing was profiled');
    return {
      runs: PROFILED_RUNS,
      stepsPerSecond: Math.round(round.stepsPerSecond),
      cpuByProcess: round.cpu.byProcess,
      cpuOfPostgres: round.cpu.ofPostgres,
      statements: statements.map(({ statement, calls, rows, totalMs }) => `${rounded(totalMs, 0)} ms ${calls} calls ${rows} rows  ${statement}`),
      ...Object.fromEntries([...times].map(([name, ofService]) => [name, tables(ofService)])),
    };
  } finally {
    await world.close();
  }
};

const tables = ({ sumMs, byPackage, own, total }: TimesByName): Record<string, unknown> => ({
  cpuMs: Math.round(sumMs),
  byPackage: table(byPackage, sumMs),
  own: table(own, sumMs),
  withCallees: table(total, sumMs),
});

const table = (times: ReadonlyMap<string, number>, sumMs: number): string[] =>
  [...times].filter(([, ms]) => ms / sumMs >= SHARE_MINIMUM).sort(([, a], [, b]) => b - a).slice(0, LINES_MAX)
    .map(([name, ms]) => `${((ms / sumMs) * 100).toFixed(1).padStart(5)} %  ${name}`);
