import { rounded } from '../percentiles';
import { throughputRound, type ThroughputRound } from '../workloads/w1-throughput';
import { World } from '../world/world';
import { profileServices } from './profile-services';
import type { FunctionTime } from './self-times';
import { profileStatements } from './statement-times';

/** Of the CPU of its process; what takes less is not named. */
const SHARE_MINIMUM = 0.02;
const FUNCTIONS_MAX = 25;

/** W1 once more, each service profiled and the statements of Postgres timed: where its CPU goes. */
export const profileThroughput = async (): Promise<Record<string, unknown>> => {
  const world = await World.start({ profile: true });
  try {
    await throughputRound(world);
    await throughputRound(world);
    let round: ThroughputRound | undefined;
    let functions = new Map<string, FunctionTime[]>();
    const statements = await profileStatements(world, async () => {
      functions = await profileServices(world, async () => (round = await throughputRound(world)));
    });
    if (round === undefined) throw new Error('nothing was profiled');
    return {
      stepsPerSecond: Math.round(round.stepsPerSecond),
      cpuByProcess: round.cpu.byProcess,
      cpuOfPostgres: round.cpu.ofPostgres,
      statements: statements.map((each) => ({ ...each, totalMs: rounded(each.totalMs, 1) })),
      ...Object.fromEntries([...functions].map(([name, times]) => [name, table(times)])),
    };
  } finally {
    await world.close();
  }
};

const table = (times: readonly FunctionTime[]): string[] => {
  const sum = times.reduce((total, { selfMs }) => total + selfMs, 0);
  const own = times.filter(({ selfMs }) => selfMs / sum >= SHARE_MINIMUM).slice(0, FUNCTIONS_MAX).map((time) => line(time, sum));
  const inclusive = [...times].sort((a, b) => b.totalMs - a.totalMs).slice(0, FUNCTIONS_MAX).map((time) => line(time, sum));
  return [`${rounded(sum, 0)} ms on the CPU; own time | with what it calls`, ...own, '-- with what it calls', ...inclusive];
};

const line = ({ name, selfMs, totalMs }: FunctionTime, sum: number): string =>
  `${percent(selfMs / sum)} | ${percent(totalMs / sum)}  ${name}`;
const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(5)} %`;
