import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onceTask, task, workflow } from './harness/definitions';
import { faultsAfterwards, LogAccount } from './harness/log-account';
import { System } from './harness/system';

/** A file system of the test's own, which its Postgres lives on and which can really be filled. Only root may have one. */
const SIZE = '192m';
const LEFT_BYTES = 4 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'foldwork-disk-'));
const isMounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'foldwork', folder], { stdio: 'ignore' }).status === 0;
const filler = join(folder, 'filler');

const freeBytes = (): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};
const fill = (): void => {
  writeFileSync(filler, '');
  while (freeBytes() > LEFT_BYTES) appendFileSync(filler, Buffer.alloc(1024 * 1024));
};

let system: System;
beforeAll(async () => {
  if (!isMounted) return;
  // Goes with the process of this test, however that ends.
  spawn('sh', ['-c', 'while kill -0 "$0" 2>/dev/null; do sleep 1; done; umount -l "$1"; rmdir "$1"', String(process.pid), folder], { detached: true, stdio: 'ignore' }).unref();
  system = await System.start({ ownPostgres: true, postgresFolder: join(folder, 'postgres'), postgresSettings: { max_wal_size: '32MB', min_wal_size: '32MB' } });
}, 90_000);
afterAll(async () => {
  await system?.stop();
  if (isMounted) execFileSync('umount', [folder]);
  rmdirSync(folder);
}, 60_000);

(isMounted ? it : it.skip)('a file system filled to its last byte: new runs are refused, what was accepted is finished when there is room, and nothing is lost or doubled', async () => {
  const { api, world } = system;
  const definition = workflow('full', [task('first', { gate: 'full' }), onceTask('upload', { dropFirst: 1 }), task('last')]);
  const accepted: string[] = [];
  const refusals: { readonly status: number; readonly error: string; readonly retryAfter: string | null }[] = [];
  const submit = async (bytes: number): Promise<void> => {
    const { status, body, headers } = await api.call('POST', '/orchestrator/runs', { definition, input: { pad: randomBytes(bytes).toString('base64') } });
    if (status === 202) accepted.push((body as { runId: string }).runId);
    else refusals.push({ status, error: (body as { error: string }).error, retryAfter: headers.get('retry-after') });
  };
  for (let run = 0; run < 10; run += 1) await submit(1_000);
  await world.when(() => world.calls.length === 10);
  fill();
  for (let tries = 0; tries < 400 && refusals.length < 20; tries += 1) await submit(150_000);
  expect(refusals.length).toBe(20);
  world.openGate('full'); // work ends while its outcome cannot be written
  expect(refusals.filter(({ status, retryAfter }) => status !== 503 || retryAfter === null)).toEqual([]);
  expect(refusals.map(({ error }) => error)).toContain('store_full');
  await new Promise((resolve) => setTimeout(resolve, 500)); // that nothing happens meanwhile is what matters

  rmSync(filler);
  await system.postgres.restart(); // it gives up by itself when it cannot even write its log; an operator starts it again
  await Promise.all(accepted.map((run) => api.succeeded(run, 30_000)));
  await api.succeeded(await api.submit(definition));
  for (const run of accepted) expect([run, world.effects.filter((effect) => effect.run === run && effect.task === 'upload').length]).toEqual([run, 1]);
  const { events } = await LogAccount.read(system.log);
  expect(events.filter(({ type }) => type === 'RunRequested')).toHaveLength(accepted.length + 1);
  expect(await faultsAfterwards(system, ['upload'])).toEqual([]);
}, 120_000);
