import { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { describeEventLog } from './event-log.contract';
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
