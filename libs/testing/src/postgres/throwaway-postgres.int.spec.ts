import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { forkTypeScript } from '../processes/fork-typescript';
import { createTestDatabase } from './test-database';
import { startThrowawayPostgres } from './throwaway-postgres';

const ask = async (connectionString: string, sql: string): Promise<unknown> => {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('throw-away Postgres', () => {
  it('keeps its data and address over a kill and a restart, syncs to disk, leaves nothing behind', async () => {
    const server = await startThrowawayPostgres({ settings: { work_mem: '7MB' } });
    expect(await ask(server.url, 'SHOW fsync')).toBe('on');
    expect(await ask(server.url, 'SHOW work_mem')).toBe('7MB');
    await ask(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await server.kill();
    await expect(ask(server.url, 'SELECT 1')).rejects.toThrow();
    await server.restart();
    expect(await ask(server.url, 'SELECT answer FROM kept')).toBe(42);
    const pid = server.pid();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(server.folder)).toBe(false);
  }, 60_000);

  it('ends with its owner, even when that one is killed', async () => {
    const owner = forkTypeScript(join(__dirname, 'throwaway-owner.process.ts'));
    const [{ pid, folder }] = (await once(owner, 'message')) as [{ pid: number; folder: string }]; // sent by the process
    expect(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8')).toContain(String(pid));
    owner.kill('SIGKILL');
    for (const deadline = Date.now() + 15_000; (isAlive(pid) || existsSync(folder)) && Date.now() < deadline; ) await sleep(50);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  }, 60_000);
});

describe('test databases', () => {
  it('are copies of one template, each for itself', async () => {
    class Cars1764000009999 {
      readonly name = 'Cars1764000009999';
      async up(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
        await runner.query('CREATE TABLE cars (name text)');
      }
      async down(): Promise<void> {
        await Promise.resolve();
      }
    }
    const [left, right] = await Promise.all([createTestDatabase({ migrations: [Cars1764000009999] }), createTestDatabase({ migrations: [Cars1764000009999] })]);
    await ask(left.url, `INSERT INTO cars VALUES ('beetle')`);
    expect(await ask(left.url, 'SELECT count(*)::int FROM cars')).toBe(1);
    expect(await ask(right.url, 'SELECT count(*)::int FROM cars')).toBe(0);
    await Promise.all([left.drop(), right.drop()]);
    await expect(ask(left.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });

  it('need no server of the machine: the path without Postgres finds the one from npm', () => {
    const hook = join(__dirname, '../processes/typescript-hook.cjs');
    const script = `require(${JSON.stringify(join(__dirname, 'postgres-binaries.ts'))}).embeddedPostgresBinaries().then(({ initdb, postgres }) => {
      const { existsSync } = require('node:fs');
      console.log(JSON.stringify({ initdb: existsSync(initdb), postgres: existsSync(postgres) }));
    })`;
    const { stdout } = spawnSync(process.execPath, ['-r', hook, '-e', script], { encoding: 'utf8' });
    // Looked at in the process that found them: a copy made for it goes with it.
    expect(JSON.parse(stdout)).toEqual({ initdb: true, postgres: true });
  });
});
