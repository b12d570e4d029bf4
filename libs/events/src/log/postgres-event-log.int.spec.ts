import { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import type { RecordedEvent } from '../contracts';
import { describeEventLog } from './event-log.contract';
import { aRunId, anEvent } from './event-log.fixtures';
import { logMigrations } from './log-migrations';
import { PostgresCheckpointStore } from './postgres-checkpoint-store.adapter';
import { PostgresDefinitionStore } from './postgres-definition-store.adapter';
import { createPostgresEventLog } from './postgres-event-log.adapter';
import { connectionSettings } from './connection-settings';

describeEventLog('Postgres', async () => {
  const database: TestDatabase = await createTestDatabase({ migrations: logMigrations });
  const log = createPostgresEventLog({ connectionString: database.url });
  const pool = new Pool(connectionSettings({ connectionString: database.url }, { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 }));
  return {
    log,
    checkpoints: new PostgresCheckpointStore(pool),
    definitions: new PostgresDefinitionStore(pool),
    close: async () => {
      await Promise.all([log.close(), pool.end()]);
      await database.drop();
    },
  };
});

it('hands out large events in pages that fit into memory, and loses none between them', async () => {
  const database = await createTestDatabase({ migrations: logMigrations });
  const log = createPostgresEventLog({ connectionString: database.url, readConnectionsMax: 1 });
  const data = (size: number) => JSON.stringify({ text: 'x'.repeat(size) });
  const sizes = [10, 7_000_000, 7_000_000, 7_000_000, 7_000_000, 7_000_000, 10, 10];
  for (const size of sizes) await log.append([anEvent(aRunId(), 'a', 1, { data: data(size) })]);
  const pages: RecordedEvent[][] = [];
  for (let after = 0; after < sizes.length; after += pages.at(-1)?.length ?? 0) pages.push(await log.readAfter(after, 1_000));
  const end = await log.readAfter(sizes.length, 1_000);
  await log.close();
  await database.drop();
  expect(pages.map((page) => page.map(({ position }) => position))).toEqual([[1, 2, 3, 4], [5, 6, 7, 8]]);
  expect(pages.flat().map((event) => event.data)).toEqual(sizes.map(data));
  expect(end).toEqual([]);
});
