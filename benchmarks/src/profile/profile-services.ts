import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../world/world';
import { timesByName, type CpuProfile, type TimesByName } from './self-times';

/** Profiles every service while `work` runs; where its time went, by service. */
export const profileServices = async (world: World, work: () => Promise<unknown>): Promise<Map<string, TimesByName>> => {
  const folder = mkdtempSync(join(tmpdir(), 'foldwork-profile-'));
  try {
    await Promise.all([...world.services.values()].map((service) => service.ask({ ask: 'startProfile' })));
    await work();
    const stopped = [...world.services].map(async ([name, service]): Promise<[string, TimesByName]> => {
      const file = join(folder, `${name}.json`);
      await service.ask({ ask: 'stopProfile', file });
      return [name, timesByName(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)];
    });
    return new Map(await Promise.all(stopped));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
