import { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { logMigrations } from './log-migrations';
import { PostgresCheckpointStore } from './postgres-checkpoint-store.adapter';

describe('checkpoints after a restore of the log', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase({ migrations: logMigrations });
    pool = new Pool({ connectionString: database.url });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('count for nothing when they belong to another epoch, and may move back once', async () => {
    const checkpoints = new PostgresCheckpointStore(pool);
    await checkpoints.save('planner', 900);
    await pool.query('UPDATE log_meta SET epoch = DEFAULT');
    expect(await checkpoints.load('planner')).toBe(0);
    await checkpoints.save('planner', 7);
    expect(await checkpoints.load('planner')).toBe(7);
    await checkpoints.save('planner', 5);
    expect(await checkpoints.load('planner')).toBe(7);
  });
});
