import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startThrowawayNats } from './throwaway-nats';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const streams = async (url: string, create?: string): Promise<string[]> => {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    if (create !== undefined) await manager.streams.add({ name: create, subjects: [create] });
    return (await manager.streams.names().next());
  } finally {
    await connection.close();
  }
};

describe('a throw-away nats-server', () => {
  it('keeps its port and its streams over a kill, and leaves nothing behind when it is stopped', async () => {
    const nats = await startThrowawayNats({ env: { PATH: process.env['PATH'] } });
    expect(await streams(nats.url, 'KEPT')).toEqual(['KEPT']);
    const first = nats.pid();
    await nats.kill();
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow();
    await nats.restart();
    expect(nats.pid()).not.toBe(first);
    expect(await streams(nats.url)).toEqual(['KEPT']);
    await nats.stop();
    expect(existsSync(nats.storeDir ?? '')).toBe(false);
    await nats.stop();
  });

  it('is the one of FOLDWORK_TEST_NATS_URL when that is set, and then is not ours to stop', async () => {
    const nats = await startThrowawayNats({ env: { FOLDWORK_TEST_NATS_URL: 'nats://nats.example:4222' } });
    expect(nats.url).toBe('nats://nats.example:4222');
    await nats.stop();
    await expect(nats.kill()).rejects.toThrow(/not ours/);
  });

  it('ends with its owner, even when that is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'foldwork-guard-'));
    const script = `import(${JSON.stringify(join(__dirname, 'guarded-server.ts'))})
      .then(({ startGuardedServer }) => startGuardedServer(['sleep', '600'], ${JSON.stringify(folder)}))
      .then(({ pid }) => { console.log(pid); setInterval(() => undefined, 1000); });`;
    const owner = spawn(process.execPath, ['--no-warnings', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer]; // Node's events are not typed
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    for (let waited = 0; waited < 5_000 && (isAlive(pid) || existsSync(folder)); waited += 20) await sleep(20);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });
});
