import { Pool } from 'pg';
import { embeddedPostgresBinaries, migrate, startThrowawayPostgres } from '@foldwork/testing';
import { connectionSettings } from './connection-settings';
import { describeEventLog } from './event-log.contract';
import { logMigrations } from './log-migrations';
import { PostgresCheckpointStore } from './postgres-checkpoint-store.adapter';
import { PostgresDefinitionStore } from './postgres-definition-store.adapter';
import { createPostgresEventLog } from './postgres-event-log.adapter';

/** The Postgres that `npm start` brings with it, a newer major than the distribution's. */
describeEventLog('Postgres from npm', async () => {
  const server = await startThrowawayPostgres({ binaries: await embeddedPostgresBinaries() });
  await migrate(server.url, logMigrations);
  const log = createPostgresEventLog({ connectionString: server.url });
  const pool = new Pool(connectionSettings({ connectionString: server.url }, { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 }));
  return {
    log,
    checkpoints: new PostgresCheckpointStore(pool),
    definitions: new PostgresDefinitionStore(pool),
    close: async () => {
      await Promise.all([log.close(), pool.end()]);
      await server.stop();
    },
  };
});
