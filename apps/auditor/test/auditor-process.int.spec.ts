import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PROJECTION } from '@foldwork/read-models';
import { freePort, startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { auditorWorld, checkpointOf, mixedRuns, readModelRows, until, type AuditorWorld } from './auditor-world';

let world: AuditorWorld;
let nats: ThrowawayNats;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  [world, nats] = await Promise.all([auditorWorld(), startThrowawayNats()]);
});
afterEach(async () => {
  await Promise.all([...running].map((process) => end(process, 'SIGKILL')));
  await Promise.all([world.close(), nats.stop()]);
});

const start = (healthPort: number): ChildProcess => {
  const child = spawn(process.execPath, ['dist/apps/auditor/src/main.js'], {
    env: {
      PATH: process.env['PATH'], FOLDWORK_DATABASE_URL: world.url, FOLDWORK_NATS_URL: nats.url, FOLDWORK_MIGRATE: 'off',
      FOLDWORK_LOG_LEVEL: 'warn', FOLDWORK_HEALTH_PORT: String(healthPort),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  running.add(child);
  return child;
};

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
};

const isReady = (port: number) => async (): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false);

it('counts and publishes each event once over kill -9 in the middle of the work, and is back at it within 2 s', async () => {
  const port = await freePort();
  const writing = (async () => {
    for (let round = 0; round < 40; round += 1) await world.append(mixedRuns(25, 1_800_000_000_000 + round * 1_000));
  })();
  for (let kill = 0; kill < 3; kill += 1) {
    const auditor = start(port);
    await until(isReady(port), 'ready');
    const before = await checkpointOf(world.pool, PROJECTION);
    const since = Date.now();
    await until(async () => (await checkpointOf(world.pool, PROJECTION)) > before || before === (await world.log.head()), 'progress');
    expect(Date.now() - since).toBeLessThan(2_000);
    await end(auditor, 'SIGKILL');
  }
  await writing;
  const last = start(port);
  const head = await world.log.head();
  await until(async () => (await checkpointOf(world.pool, PROJECTION)) === head && (await checkpointOf(world.pool, 'feed')) === head, 'all events', 30_000);
  expect(await end(last, 'SIGTERM')).toBe(0);
  const { rows } = await world.pool.query<{ run_id: string; n: string }>('SELECT run_id, count(*) AS n FROM events GROUP BY run_id');
  const counts = new Map(rows.map((row) => [row.run_id, Number(row.n)]));
  const runs = (await readModelRows(world.pool)).runs as { run_id: string; events: number }[];
  expect(runs).toHaveLength(counts.size);
  for (const run of runs) expect(run.events).toBe(counts.get(run.run_id));
}, 60_000);
