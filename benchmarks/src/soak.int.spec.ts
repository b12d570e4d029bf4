import { readdirSync } from 'node:fs';
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

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('performance validation', () => {
  it('[S3-61] after 10,000 tasks no service holds more memory or more handles than before', async () => {
    const world = await World.start();
    try {
      await throughputRound(world, 1_000); // warm: code is compiled, caches and connections are there
      const before = await heldBy(world);
      await throughputRound(world, 1_000);
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
});
