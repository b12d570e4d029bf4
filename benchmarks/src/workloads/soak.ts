import { rounded } from '../percentiles';
import { memoryOf } from '../world/process-usage';
import type { World } from '../world/world';
import { throughputRound } from './w1-throughput';

const RUNS_PER_LEG = 5_000;

/** Many runs in legs; after each leg what every service holds, garbage collected. It must not grow. */
export const soak = async (world: World, runs: number): Promise<Record<string, unknown>> => {
  const legs: Record<string, unknown>[] = [];
  for (let done = 0; done < runs; done += RUNS_PER_LEG) {
    const { stepsPerSecond } = await throughputRound(world, { runs: Math.min(RUNS_PER_LEG, runs - done) });
    const leg = { runs: done + RUNS_PER_LEG, stepsPerSecond: Math.round(stepsPerSecond), ...(await memory(world)) };
    console.log(JSON.stringify(leg));
    legs.push(leg);
  }
  return { runs, legs };
};

/** `heap`: live objects after a collection; `resident`: what the process has of its own. In MB. */
const memory = async ({ services }: World): Promise<Record<string, object>> =>
  Object.fromEntries(await Promise.all([...services].map(async ([name, service]) => {
    const { memory: answer } = await service.ask({ ask: 'memory' });
    const megabytes = (bytes = 0): number => rounded(bytes / 1024 / 1024, 1);
    return [name, { heapMb: megabytes(answer?.heapUsed), bufferMb: megabytes(answer?.arrayBuffers), residentMb: rounded(memoryOf(service.pid).ownMb, 0) }] as const;
  })));
