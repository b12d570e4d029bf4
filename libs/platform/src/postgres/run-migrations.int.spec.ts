import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { Client } from 'pg';
import { createApiKey, findApiKey } from '../auth/api-key.store';
import { ALL_MIGRATIONS } from './all-migrations';
import { createPool } from './create-pool';
import { revertMigrations, runMigrations } from './run-migrations';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

/** Everything a schema consists of, without the migrations' own table. */
const objects = async (url: string): Promise<string[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(`
    SELECT 'table ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type AS name FROM information_schema.columns
      WHERE table_schema IN ('public', 'read_models') AND table_name <> 'foldwork_migrations'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname IN ('public', 'read_models') AND tablename <> 'foldwork_migrations'
    UNION ALL SELECT 'function ' || proname || pg_get_function_identity_arguments(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN ('public', 'read_models')
    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ORDER BY 1`);
  await client.end();
  return rows.map(({ name }) => name);
};

const fillNamespaces = async (databaseUrl: string, namespaces: readonly string[]): Promise<void> => {
  const owner = createPool({ databaseUrl, maximum: 1, applicationName: 'test', asOwner: true });
  for (const namespace of namespaces) {
    await createApiKey(owner, { name: 'ops', namespace, role: 'admin' });
    await owner.query('INSERT INTO definitions (namespace, hash, body) VALUES ($1, $2, $3)', [namespace, 'a'.repeat(64), '{}']);
  }
  await owner.end();
  expect((await keysOf(databaseUrl)).toSorted()).toEqual([...namespaces]);
};

const keysOf = async (databaseUrl: string): Promise<string[]> => {
  const owner = createPool({ databaseUrl, maximum: 1, applicationName: 'test', asOwner: true });
  const { rows } = await owner.query<{ namespace: string }>('SELECT namespace FROM api_keys');
  await owner.end();
  return rows.map(({ namespace }) => namespace);
};

describe('runMigrations', () => {
  it('runs each migration once when several processes start together', async () => {
    const options = { databaseUrl: database.url, migrations: ALL_MIGRATIONS };
    const ran = await Promise.all(Array.from({ length: 4 }, () => runMigrations(options)));
    expect(ran.map(({ length }) => length).toSorted((left, right) => right - left)).toEqual([ALL_MIGRATIONS.length, 0, 0, 0]);
  });

  it('[S0-14] leaves the same objects after up, down and up, and nothing after down, with rows of two namespaces', async () => {
    const options = { databaseUrl: database.url, migrations: ALL_MIGRATIONS };
    const empty = await objects(database.url);
    await runMigrations(options);
    const first = await objects(database.url);
    await fillNamespaces(database.url, ['north', 'south']);
    expect(await objects(database.url)).toEqual(first);
    await revertMigrations(options);
    expect(await objects(database.url)).toEqual(empty);
    await runMigrations(options);
    expect(await objects(database.url)).toEqual(first);
    expect(first.length).toBeGreaterThan(50);
    expect(await keysOf(database.url)).toEqual([]);
  });

  it('takes a failed migration back and says which', async () => {
    class Broken1999999999999 {
      async up(runner: { query(text: string): Promise<unknown> }): Promise<void> {
        await runner.query('CREATE TABLE half (a int)');
        await runner.query('SELECT nonsense');
      }
      async down(): Promise<void> {}
    }
    await expect(runMigrations({ databaseUrl: database.url, migrations: [...ALL_MIGRATIONS, Broken1999999999999] })).rejects.toThrow(/nonsense/);
    expect((await objects(database.url)).join('\n')).not.toContain('half');
  });
});

describe('the pool of a running service', () => {
  it('may read keys but neither make nor change them', async () => {
    await runMigrations({ databaseUrl: database.url, migrations: ALL_MIGRATIONS });
    const owner = createPool({ databaseUrl: database.url, maximum: 1, applicationName: 'test', asOwner: true });
    const service = createPool({ databaseUrl: database.url, maximum: 1, applicationName: 'test' });
    const text = await createApiKey(owner, { name: 'ci', namespace: 'default', role: 'viewer' });
    const id = text.split('_')[1] ?? '';
    expect(await findApiKey(service, id)).toMatchObject({ name: 'ci', role: 'viewer' });
    await expect(createApiKey(service, { name: 'evil', namespace: 'default', role: 'admin' })).rejects.toMatchObject({ code: '42501' });
    await expect(service.query('UPDATE api_keys SET role = $1', ['admin'])).rejects.toMatchObject({ code: '42501' });
    await owner.query(`UPDATE api_keys SET expires_at = now() - interval '1 second'`);
    expect(await findApiKey(service, id)).toBeUndefined();
    await Promise.all([owner.end(), service.end()]);
  });
});
