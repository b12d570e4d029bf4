import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from './report/comparison';
import { GOALS } from './report/goals';
import { readBaseline } from './report/stored-results';
import { throughputRound } from './workloads/w1-throughput';
import { World } from './world/world';

/** Of live objects after a collection; code that is compiled meanwhile and caches that fill take some. */
const GROWTH_MAX_MB = 8;
const HANDLES_GROWTH_MAX = 3;

interface Held {
  readonly heapMb: number;
  readonly handles: number;
}

const heldBy = async ({ services }: World): Promise<Record<string, Held>> => {
  const held = [...services].map(async ([name, service]): Promise<[string, Held]> => {
    const { memory } = await service.ask({ ask: 'memory' });
    return [name, { heapMb: (memory?.heapUsed ?? 0) / 1024 / 1024, handles: readdirSync(`/proc/${service.pid}/fd`).length }];
  });
  return Object.fromEntries(await Promise.all(held));
};

/** What scripts read out of a result. */
const KEYS = [
  'W1.stepsPerSecond', 'W1.cpuSecondsPer1000Steps', 'W2.runP50Ms', 'W2.runP99Ms', 'W3.p50Ms', 'W3.p99Ms', 'W4.totalMs', 'W5.restartToDoneMs', 'W5.recordedRepeated',
  'W6.latenessP50Ms', 'W6.latenessP99Ms', 'limits.groupedRowsPerSecond', 'limits.singleCommitsPerSecond', 'limits.requestReplyP50Ms',
];
const RESULTS = join(__dirname, '../results');

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('performance validation', () => {
  it('[S3-61] after 10,000 tasks no service holds more memory or more handles than before', async () => {
    const world = await World.start();
    try {
      await throughputRound(world, { runs: 1_000 }); // warm: code is compiled, caches and connections are there
      const before = await heldBy(world);
      await throughputRound(world, { runs: 1_000 });
      const after = await heldBy(world);
      for (const [name, { heapMb, handles }] of Object.entries(after)) {
        const growth = { name, heapMb: heapMb - (before[name]?.heapMb ?? 0), handles: handles - (before[name]?.handles ?? 0) };
        expect({ ...growth, grows: growth.heapMb > GROWTH_MAX_MB || growth.handles > HANDLES_GROWTH_MAX }).toEqual({ ...growth, grows: false });
      }
    } finally {
      await world.close();
    }
  }, 120_000);

  it('[S3-61] a baseline is stored for every figure that has a goal, and a report compares with it', () => {
    const baseline = readBaseline();
    expect(baseline).toBeDefined();
    const compared = compare(baseline ?? {}, baseline);
    expect(compared.map(({ key }) => key)).toEqual(GOALS.map(({ key }) => key));
    expect(compared.every(({ now, baseline: before }) => now === before)).toBe(true);
  });

  it.each(readdirSync(RESULTS))('the stored result %s has its figures under the names that scripts know', (file) => {
    const result = JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as Record<string, Record<string, unknown> | undefined>;
    const missing = KEYS.filter((key) => {
      const [part = '', figure = ''] = key.split('.');
      return part in result && typeof result[part]?.[figure] !== 'number'; // a result may be one of some workloads only
    });
    expect(missing).toEqual([]);
  });
});
