import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { onceTask, RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';

const NATS_DOWN_MS = 10_000;

let system: System;
throughout({ ownPostgres: true, onceTasks: ['upload'] }, (started) => (system = started));

const JOB = [task('validate'), onceTask('upload', { dropFirst: 1 }, { retry: RETRY_AT_ONCE }), task('save')];
const jobNamed = (name: string): object => workflow(name, JOB);

const submitMany = (name: string, count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => system.api.submitPatiently(jobNamed(name), `${name}-${index}`)));
const allSucceeded = (runs: readonly string[], limitMs = 20_000): Promise<unknown> => Promise.all(runs.map((run) => system.api.succeeded(run, limitMs)));

describe('NATS', () => {
  it('stopped for 10 s: runs are accepted meanwhile and finished afterwards', async () => {
    const { api, nats, world } = system;
    const before = await api.submit(workflow('nats-before', [task('first', { gate: 'nats' }), task('second')]));
    await world.when(() => world.callsOf(before, 'first').length === 1);
    await nats.kill();
    const stoppedAt = performance.now();
    world.openGate('nats');
    await api.succeeded(before); // the rest of its segment needs no bus
    const accepted = await Promise.all(Array.from({ length: 10 }, () => api.submit(jobNamed('nats-down'))));
    await sleep(NATS_DOWN_MS - (performance.now() - stoppedAt));
    expect((await Promise.all(accepted.map((run) => api.detail(run)))).map(({ status }) => status)).toEqual(accepted.map(() => 'running'));
    await nats.restart();
    await allSucceeded(accepted);
  }, 60_000);

  it("JetStream's directory wiped under load: all runs finish", async () => {
    const { nats } = system;
    const submitting = submitMany('wiped', 60);
    await sleep(100);
    await rm(nats.storeDir!, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
    await sleep(200);
    const more = await submitMany('wiped-later', 20);
    await allSucceeded([...(await submitting), ...more], 40_000);
  }, 60_000);

  it('restarted with nothing left on its disk: all runs finish', async () => {
    const { nats } = system;
    const submitting = submitMany('emptied', 40);
    await sleep(50);
    await nats.kill();
    await rm(nats.storeDir!, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
    await nats.restart();
    await allSucceeded(await submitting, 40_000);
  }, 60_000);
});

describe('Postgres', () => {
  it('killed and restarted: 503 with Retry-After meanwhile, nothing half-accepted, and everything goes on', async () => {
    const { api, postgres, world } = system;
    const during = await api.submit(workflow('pg-during', [task('first', { gate: 'pg' }), task('second')]));
    await world.when(() => world.callsOf(during, 'first').length === 1);
    await postgres.kill();
    world.openGate('pg'); // the action ends while its outcome cannot be written
    const refused = await api.call('POST', '/orchestrator/runs', { definition: jobNamed('pg-down') });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    const submitting = submitMany('pg-back', 20);
    await postgres.restart();
    await allSucceeded([during, ...(await submitting)]);
    expect(world.callsOf(during).map((call) => call.task)).toEqual(['first', 'second']);
    const { events } = await LogAccount.read(system.log);
    expect(events.filter(({ type, data }) => type === 'RunRequested' && data.includes('"pg-down"'))).toEqual([]);
    expect(new Set(await submitMany('pg-back', 20)).size).toBe(20);
    expect(events.filter(({ type, data }) => type === 'RunRequested' && data.includes('"pg-back"'))).toHaveLength(20);
  }, 60_000);

  it('restarted under load: what was acknowledged is there, and every run finishes', async () => {
    const { postgres } = system;
    const submitting = submitMany('pg-load', 60);
    await sleep(150);
    await postgres.restart();
    await allSucceeded(await submitting, 40_000);
  }, 60_000);

  it('disk of the log full: new runs are refused, running ones wait, nothing is lost', async () => {
    const { api, world } = system;
    const running = await api.submit(workflow('disk-running', [task('first', { gate: 'disk' }), task('second')]));
    await world.when(() => world.callsOf(running, 'first').length === 1);
    await owner(FULL);
    world.openGate('disk');
    const refused = await api.call('POST', '/orchestrator/runs', { definition: jobNamed('disk-full') });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect((refused.body as { detail: string }).detail).not.toMatch(/could not extend|53100/);
    expect((await api.detail(running)).status).toBe('running');
    await owner(ROOM_AGAIN);
    await api.succeeded(running);
    await api.succeeded(await api.submit(jobNamed('disk-room')));
    expect(world.callsOf(running).map((call) => call.task)).toEqual(['first', 'second']);
    const { events } = await LogAccount.read(system.log);
    expect(events.some(({ data }) => data.includes('"disk-full"'))).toBe(false);
  }, 60_000);
});

/** What Postgres answers when a table's file cannot grow, made by a trigger so that the test needs no file system of its own. */
const FULL = `
  CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100';
  END $$;
  CREATE TRIGGER disk_full BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION disk_full()`;
const ROOM_AGAIN = 'DROP TRIGGER disk_full ON events; DROP FUNCTION disk_full()';

const owner = async (statements: string): Promise<void> => {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  await client.query(statements).finally(() => client.end());
};
