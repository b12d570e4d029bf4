import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { aRunId, anEvent } from '../event-log.fixtures';
import { logMigrations } from '../log-migrations';
import { createPostgresEventLog } from '../postgres-event-log.adapter';

/** Why positions are handed out under a lock: the same interleaving, once with a sequence, once with the log. */
describe('a reader that tails while two writers commit in the other order', () => {
  let database: TestDatabase;
  const clients: Client[] = [];
  const connect = async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    clients.push(client);
    return client;
  };
  beforeAll(async () => {
    database = await createTestDatabase({ migrations: logMigrations });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });
  afterAll(() => database.drop());

  it('misses an event for ever when a plain sequence numbers them', async () => {
    const [slow, fast, reader] = [await connect(), await connect(), await connect()];
    await reader.query('CREATE TABLE plain (position bigserial PRIMARY KEY, name text)');
    await slow.query('BEGIN');
    await slow.query(`INSERT INTO plain (name) VALUES ('slow')`);
    await fast.query(`INSERT INTO plain (name) VALUES ('fast')`);
    const seen: string[] = [];
    let cursor = 0;
    const tail = async () => {
      const { rows } = await reader.query<{ position: string; name: string }>('SELECT * FROM plain WHERE position > $1 ORDER BY position', [cursor]);
      for (const { position, name } of rows) [cursor] = [Number(position), seen.push(name)];
    };
    await tail();
    await slow.query('COMMIT');
    await tail();
    expect(seen).toEqual(['fast']);
    const { rows } = await reader.query('SELECT name FROM plain ORDER BY position');
    expect(rows).toEqual([{ name: 'slow' }, { name: 'fast' }]);
  });

  it('misses nothing of the log: the second append waits until the first is visible (1)', async () => {
    const log = createPostgresEventLog({ connectionString: database.url });
    try {
      const slow = await connect();
      await slow.query('BEGIN');
      const [first, second] = [anEvent(aRunId()), anEvent(aRunId())];
      await slow.query(`SELECT public.append_events(ARRAY[$1::uuid], ARRAY[$2], ARRAY[1], ARRAY['RunPlanned'], ARRAY[1::smallint], ARRAY['default'], ARRAY[false], ARRAY['{}'], ARRAY['{}'], NULL)`, [first.runId, first.task]);
      const appended = log.append([second]);
      const isSettled = await Promise.race([appended.then(() => true), new Promise((resolve) => setTimeout(resolve, 100, false))]);
      expect(isSettled).toBe(false);
      expect(await log.readAfter(0, 10)).toEqual([]);
      await slow.query('COMMIT');
      expect(await appended).toEqual({ status: 'ok', lastPosition: 2 });
      expect((await log.readAfter(0, 10)).map(({ position, runId }) => [position, runId])).toEqual([[1, first.runId], [2, second.runId]]);
    } finally {
      await log.close();
    }
  });
});
