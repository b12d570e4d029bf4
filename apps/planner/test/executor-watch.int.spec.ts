import { logMigrations, Membership } from '@foldwork/events';
import { createPool } from '@foldwork/platform';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import type { Pool } from 'pg';
import { ExecutorWatch } from '../src/executor-watch';

const HOUR_MS = 3_600_000;
let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ migrations: logMigrations });
  pool = createPool({ databaseUrl: database.url, maximum: 2, applicationName: 'test' });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('clears away executors that were gone for as long as it watched: before that their attempts must still count as lost', async () => {
  const executors = new Membership(pool, 'executor');
  await executors.join('gone', 60_000);
  await pool.query("UPDATE members SET expires_at = clock_timestamp() - interval '9 days'");
  let now = 0;
  const watch = new ExecutorWatch(executors, () => now);
  await watch.refresh();
  expect(watch.isLost('gone#1')).toBe(true);
  now = HOUR_MS - 1;
  await watch.refresh();
  expect(watch.isLost('gone#1')).toBe(true);
  now = HOUR_MS;
  await watch.refresh();
  expect(await executors.list()).toEqual([]);
});
