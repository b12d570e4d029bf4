import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { createTestDatabase, forkTypeScript, type TestDatabase } from '@foldwork/testing';
import type { RecordedEvent } from '../../contracts';
import { aRunId } from '../event-log.fixtures';
import { logMigrations } from '../log-migrations';
import { LogSubscription } from '../log-subscription.consumer';
import { createPostgresEventLog, type PostgresEventLog } from '../postgres-event-log.adapter';
import { verifyLog } from '../verify-log';
import type { WriterReport } from './writer.process';

/** Four processes write for three seconds while their connections are killed; then the whole log is looked through. */
describe('four writers, stale versions, appends sent twice, killed backends', () => {
  let database: TestDatabase;
  let log: PostgresEventLog;
  let reports: WriterReport[];
  let tailed: RecordedEvent[];
  let all: RecordedEvent[];
  let stoppedBy: unknown[];
  let killed = 0;

  beforeAll(async () => {
    database = await createTestDatabase({ migrations: logMigrations });
    log = createPostgresEventLog({ connectionString: database.url, retryDelaysMs: [] });
    tailed = [];
    stoppedBy = [];
    const tail = new LogSubscription({
      name: 'tail', log, cursor: { load: async () => 0 }, pollIntervalMs: { hinted: 1, unhinted: 1 },
      handle: async (events) => void tailed.push(...events), onStopped: (error) => stoppedBy.push(error),
    });
    tail.start();
    const contested = Array.from({ length: 3 }, aRunId).join(',');
    const writers = ['w1', 'w2', 'w3', 'w4'].map((name) => forkTypeScript(join(__dirname, 'writer.process.ts'), [database.url, name, contested, '3000']));
    const answers = Promise.all(writers.map(async (writer) => ((await once(writer, 'message')) as [WriterReport])[0])); // sent by writer.process.ts
    let isDone = false;
    const killing = killBackends(() => isDone);
    reports = await answers;
    isDone = true;
    killed = await killing;
    all = [];
    for (let batch = await log.readAfter(0, 5_000); batch.length > 0; batch = await log.readAfter(all.length, 5_000)) all.push(...batch);
    for (const deadline = Date.now() + 5_000; tail.position < all.length && Date.now() < deadline; ) await sleep(5);
    await tail.close();
  }, 60_000);
  afterAll(async () => {
    await log.close();
    await database.drop();
  });

  const killBackends = async (isDone: () => boolean): Promise<number> => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    let count = 0;
    while (!isDone()) {
      await sleep(60);
      const { rowCount } = await client.query(`SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%append_event%' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) victims`);
      count += rowCount ?? 0;
    }
    await client.end();
    return count;
  };
  const identity = ({ runId, task, version, data }: RecordedEvent) => `${runId}|${task}|${version}|${data}`;

  it('was a hard test: many events, conflicts, duplicates, kills', () => {
    const sum = (count: (report: WriterReport) => number) => reports.reduce((total, report) => total + count(report), 0);
    expect(all.length).toBeGreaterThan(2_000);
    expect(sum(({ conflicts }) => conflicts)).toBeGreaterThan(10);
    expect(sum(({ duplicates }) => duplicates)).toBeGreaterThan(100);
    expect(killed).toBeGreaterThan(10);
  });

  it('has contiguous positions (1) and contiguous versions (2)', () => {
    expect(all.map(({ position }) => position)).toEqual(Array.from({ length: all.length }, (_, index) => index + 1));
    const heads = new Map<string, number>();
    for (const { runId, task, version } of all) {
      expect(version).toBe((heads.get(runId + task) ?? 0) + 1);
      heads.set(runId + task, version);
    }
  });

  it('lost nothing that was acknowledged (4) and holds nothing twice (5)', () => {
    const stored = new Set(all.map(identity));
    expect(stored.size).toBe(all.length);
    expect(reports.flatMap(({ acknowledged }) => acknowledged).filter((event) => !stored.has(event))).toEqual([]);
  });

  it('stored both events of an append or none (3)', () => {
    const byRun = new Map<string, Set<string>>();
    for (const { runId, task, version } of all.filter(({ task }) => task !== 'shared')) {
      const key = `${runId}|${version}`;
      byRun.set(key, (byRun.get(key) ?? new Set()).add(task));
    }
    expect([...byRun.values()].filter((tasks) => tasks.size !== 2)).toEqual([]);
  });

  it('showed a tailing reader every event once, in order, without a gap (1)', () => {
    expect(stoppedBy).toEqual([]);
    expect(tailed.map(({ position }) => position)).toEqual(all.map(({ position }) => position));
  });

  it('has an unbroken chain of hashes', async () => {
    expect(await verifyLog(log)).toEqual({ checked: all.length, upTo: all.length, faults: [] });
  });
});
