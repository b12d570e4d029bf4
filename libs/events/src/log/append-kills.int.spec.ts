import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import type { RunId } from '../contracts';
import { aRunId, anEvent } from './event-log.fixtures';
import { DEFAULT_GROUP_COMMIT_LIMITS } from './group-commit';
import { logMigrations } from './log-migrations';
import { createPostgresEventLog, type PostgresEventLog } from './postgres-event-log.adapter';
import { verifyLog } from './verify-log';

const WRITERS = 10;
const FOR_MS = 5_000;
const KILL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND query LIKE '%append_event%' AND pid <> pg_backend_pid() AND random() < 0.7`;

interface Told {
  readonly stream: string;
  readonly data: string;
  readonly isStored: boolean;
}

/** Writes what others write at the same time, small statements with several on the way, and takes down what it was told. */
const write = async (log: PostgresEventLog, runs: readonly RunId[], isOver: () => boolean): Promise<Told[]> => {
  const told: Told[] = [];
  for (let tries = 0; !isOver(); tries += 1) {
    const run = runs[Math.floor(Math.random() * runs.length)] ?? aRunId();
    const last = await log.readLast(run, 'a').catch(() => undefined); // its connection was killed: a conflict then
    const version = (last?.version ?? 0) + 1;
    const data = JSON.stringify({ by: aRunId() });
    const events = [anEvent(run, 'a', version, { data }), ...(tries % 3 === 0 ? [anEvent(run, `b${version}`, 1, { data })] : [])];
    for (let status: string | undefined; status === undefined; ) {
      status = await log.append(events).then((outcome) => outcome.status, () => sleep(5).then(() => undefined)); // unchanged until it is answered
      if (status !== undefined) told.push({ stream: `${run}@${version}`, data, isStored: status !== 'conflict' });
    }
  }
  return told;
};

let database: TestDatabase;
let owner: Client;
let logs: readonly [PostgresEventLog, PostgresEventLog];
beforeAll(async () => {
  database = await createTestDatabase({ migrations: logMigrations });
  owner = new Client({ connectionString: database.url });
  await owner.connect();
  const groupCommitLimits = { ...DEFAULT_GROUP_COMMIT_LIMITS, batchEventsMax: 3 };
  const open = (): PostgresEventLog => createPostgresEventLog({ connectionString: database.url, retryDelaysMs: [1, 2, 5, 10, 20], groupCommitLimits });
  logs = [open(), open()];
});
afterAll(async () => {
  await Promise.all(logs.map((log) => log.close()));
  await owner.end();
  await database.drop();
});

it('what an append was told is so, while writers race for the same versions and connections are killed in the middle', async () => {
  const runs = Array.from({ length: WRITERS }, aRunId);
  const endsAt = performance.now() + FOR_MS;
  const isOver = (): boolean => performance.now() > endsAt;
  const writing = logs.flatMap((log) => Array.from({ length: WRITERS }, () => write(log, runs, isOver)));
  let kills = 0;
  for (; !isOver(); await sleep(5 + Math.random() * 25)) kills += (await owner.query(KILL)).rowCount ?? 0;
  const told = (await Promise.all(writing)).flat();
  const stored = new Map((await logs[0].readAfter(0, 1_000_000)).filter(({ task }) => task === 'a').map((event) => [`${event.runId}@${event.version}`, event.data]));
  expect(told.filter(({ stream, data, isStored }) => (stored.get(stream) === data) !== isStored).slice(0, 3)).toEqual([]);
  expect(told.filter(({ isStored }) => isStored)).toHaveLength(stored.size);
  expect((await verifyLog(logs[0])).faults).toEqual([]);
  expect([kills > 20, stored.size > 50, told.length > stored.size]).toEqual([true, true, true]); // or nothing was tried
}, 60_000);
