import { Client } from 'pg';
import { createTestDatabase, startThrowawayPostgres, migrate, type TestDatabase, type ThrowawayPostgres } from '@foldwork/testing';
import { aRunId, anEvent } from './event-log.fixtures';
import { EventRefused, LogUnavailable, type Commit } from './event-log.port';
import { DEFAULT_GROUP_COMMIT_LIMITS } from './group-commit';
import { logMigrations } from './log-migrations';
import { createPostgresEventLog, type PostgresEventLog, type PostgresEventLogOptions } from './postgres-event-log.adapter';
import { verifyLog } from './verify-log';

describe('an append in trouble', () => {
  let database: TestDatabase;
  let owner: Client;
  let log: PostgresEventLog | undefined;
  const open = (options: Partial<PostgresEventLogOptions> = {}): PostgresEventLog => (log = createPostgresEventLog({ connectionString: database.url, ...options }));

  beforeAll(async () => {
    database = await createTestDatabase({ migrations: logMigrations });
    owner = new Client({ connectionString: database.url });
    await owner.connect();
  });
  afterEach(() => log?.close());
  afterAll(async () => {
    await owner.end();
    await database.drop();
  });

  it('that the database refuses is found by bisecting; its neighbours go through (6)', async () => {
    await owner.query(`ALTER TABLE events ADD CONSTRAINT refuse_poison CHECK (data NOT LIKE '%poison%')`);
    try {
      const appender = open();
      const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, index) =>
        appender.append([anEvent(aRunId(), 'a', 1, { data: index === 7 || index === 30 ? '{"a":"poison"}' : '{}' })])));
      const rejected = answers.flatMap((answer, index) => (answer.status === 'rejected' ? [{ index, reason: answer.reason as unknown }] : []));
      expect(rejected.map(({ index }) => index)).toEqual([7, 30]);
      expect(rejected[0]?.reason).toBeInstanceOf(EventRefused);
      expect(rejected[0]?.reason).toMatchObject({ code: '23514' });
    } finally {
      await owner.query('ALTER TABLE events DROP CONSTRAINT refuse_poison');
    }
  });

  it('that was committed but never acknowledged is sent again and stored once (4, 5)', async () => {
    const appender = open();
    await appender.append([anEvent(aRunId())]);
    const before = await appender.head();
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT pg_advisory_xact_lock(1179602020, 1)');
    const event = anEvent(aRunId());
    const appended = appender.append([event]);
    await waitForLock(owner);
    await owner.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%append_event%' AND wait_event_type = 'Lock'`);
    // The very bytes of the lost statement arrive by another way before it is sent again.
    await holder.query(`SELECT append_events(ARRAY[$1::uuid], ARRAY[$2], ARRAY[1], ARRAY[$3], ARRAY[1::smallint], ARRAY[$4], ARRAY[false], ARRAY[$5], ARRAY[$6], NULL)`,
      [event.runId, event.task, event.type, event.namespace, event.metadata, event.data]);
    await holder.query('COMMIT');
    await holder.end();
    expect(await appended).toEqual({ status: 'duplicate' });
    expect(await appender.head()).toBe(before + 1);
  });

  it('gives up on a lock that is never released, with a code, and works again afterwards', async () => {
    const appender = open({ retryDelaysMs: [] });
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT pg_advisory_xact_lock(1179602020, 1)');
    await expect(appender.append([anEvent(aRunId())])).rejects.toMatchObject({ name: 'LogUnavailable', code: 'timeout' });
    await holder.end();
    expect(await appender.append([anEvent(aRunId())])).toMatchObject({ status: 'ok' });
  });

  it('is rejected at once when too much waits already', async () => {
    const appender = open({ groupCommitLimits: { ...DEFAULT_GROUP_COMMIT_LIMITS, queueEventsMax: 10 } });
    const answers = await Promise.allSettled(Array.from({ length: 15 }, () => appender.append([anEvent(aRunId())])));
    const rejected = answers.filter((answer) => answer.status === 'rejected');
    expect(rejected).toHaveLength(5);
    expect(rejected[0]).toMatchObject({ reason: { name: 'LogUnavailable', code: 'overloaded' } });
  });

  it('shares its commit with the appends that were made while the one before was in flight', async () => {
    const appender = open();
    const commits: Commit[] = [];
    appender.onCommit((commit) => commits.push(commit));
    await Promise.all(Array.from({ length: 500 }, () => appender.append([anEvent(aRunId())])));
    expect(commits).toHaveLength(1);
    await Promise.all(Array.from({ length: 501 }, () => appender.append([anEvent(aRunId())])));
    expect(commits).toHaveLength(3);
  });

  it('says what is missing when the database was never migrated', async () => {
    const empty = await createTestDatabase();
    const appender = createPostgresEventLog({ connectionString: empty.url });
    await expect(appender.append([anEvent(aRunId())])).rejects.toMatchObject({ name: 'LogUnavailable', code: 'broken', message: expect.stringContaining('append_event') });
    await appender.close();
    await empty.drop();
  });

  it('does not take a role that does not exist for a fault of the event', async () => {
    const appender = open({ applicationRole: 'no_such_role', retryDelaysMs: [1] });
    await expect(appender.append([anEvent(aRunId())])).rejects.toMatchObject({ name: 'LogUnavailable', code: 'broken' });
    await expect(appender.head()).rejects.toMatchObject({ name: 'LogUnavailable', code: 'broken' });
  });

  it('needs no second try under another isolation level that the database has as its default', async () => {
    await owner.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''', current_database()); END $$`);
    const logs = [open({ retryDelaysMs: [] }), createPostgresEventLog({ connectionString: database.url, retryDelaysMs: [] })];
    try {
      await Promise.all(logs.map(async (each) => {
        for (let round = 0; round < 100; round++) expect(await each.append([anEvent(aRunId())])).toMatchObject({ status: 'ok' });
      }));
    } finally {
      await logs[1]?.close();
      await owner.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_isolation', current_database()); END $$`);
    }
  });

  it('that a standby refuses is tried again: it may be the primary soon', async () => {
    const appender = open({ retryDelaysMs: [20, 20, 20, 20, 20, 20, 20, 20, 20, 20] });
    const readOnly = (setting: string) => owner.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ${setting}', current_database()); END $$`);
    await readOnly('SET default_transaction_read_only = on');
    const appended = appender.append([anEvent(aRunId())]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await readOnly('RESET default_transaction_read_only');
    expect(await appended).toMatchObject({ status: 'ok' });
  });

  it('refuses to append after close, and close lets accepted appends finish', async () => {
    const appender = open();
    const accepted = appender.append([anEvent(aRunId())]);
    await appender.close();
    expect(await accepted).toMatchObject({ status: 'ok' });
    await expect(appender.append([anEvent(aRunId())])).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('the server is killed and comes back', () => {
  let server: ThrowawayPostgres;
  beforeAll(async () => {
    server = await startThrowawayPostgres();
    await migrate(server.url, logMigrations);
  }, 60_000);
  afterAll(() => server.stop());

  it.each([
    ['one statement', DEFAULT_GROUP_COMMIT_LIMITS],
    ['two statements', { ...DEFAULT_GROUP_COMMIT_LIMITS, batchEventsMax: 2 }],
  ])('keeps every acknowledged event (4), refuses meanwhile, goes on afterwards (%s on the way)', async (_, groupCommitLimits) => {
    const log = createPostgresEventLog({ connectionString: server.url, retryDelaysMs: [5, 10], groupCommitLimits });
    const acknowledged: string[] = [];
    const trouble: unknown[] = [];
    let isOver = false;
    const writing = Promise.all(Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const event = anEvent(aRunId());
        await log.append([event]).then(() => acknowledged.push(event.runId), (error: unknown) => trouble.push(error));
      }
    }));
    const grown = async (count: number) => {
      while (acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await grown(200);
    await server.kill();
    await expect(log.append([anEvent(aRunId())])).rejects.toBeInstanceOf(LogUnavailable);
    await expect(log.head()).rejects.toBeInstanceOf(LogUnavailable);
    const beforeRestart = acknowledged.length;
    await server.restart();
    await grown(beforeRestart + 200);
    isOver = true;
    await writing;
    const stored = new Set((await log.readAfter(0, 100_000)).map(({ runId }) => runId as string));
    expect(acknowledged.filter((runId) => !stored.has(runId))).toEqual([]);
    expect(trouble.every((error) => error instanceof LogUnavailable && error.code === 'disconnected')).toBe(true);
    expect((await verifyLog(log)).faults).toEqual([]);
    await log.close();
  }, 60_000);
});

const waitForLock = async (client: Client): Promise<void> => {
  for (;;) {
    const { rowCount } = await client.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%append_event%' AND wait_event_type = 'Lock'`);
    if (rowCount === 1) return;
  }
};
