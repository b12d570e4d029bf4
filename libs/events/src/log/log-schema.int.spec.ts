import { Client } from 'pg';
import { createTestDatabase, migrate, type TestDatabase } from '@foldwork/testing';
import { connectionSettings } from './connection-settings';
import { aRunId, anEvent } from './event-log.fixtures';
import { logMigrations } from './log-migrations';
import { createPostgresEventLog } from './postgres-event-log.adapter';

const OBJECTS = `
  SELECT 'relation' kind, relname::text name, relacl::text detail FROM pg_class c WHERE relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = c.oid AND indrelid = to_regclass('public.foldwork_migrations'))
  UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relkind = 'r'
  UNION ALL SELECT 'function', oid::regprocedure::text, proacl::text || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'type', typname::text, '' FROM pg_type WHERE typnamespace = 'public'::regnamespace
  UNION ALL SELECT 'schema', nspname::text, nspacl::text FROM pg_namespace WHERE nspname = 'public'
  ORDER BY 1, 2`;
/** TypeORM's own record of what ran, which is not the log's. */
const isOurs = ({ name }: { name: string }) => !/^_?foldwork_migrations/.test(name);

describe('schema of the log', () => {
  let database: TestDatabase;
  let owner: Client;
  const objects = async () => (await owner.query<{ kind: string; name: string; detail: string }>(OBJECTS)).rows.filter(isOurs);

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = new Client({ connectionString: database.url });
    await owner.connect();
  });
  afterAll(async () => {
    await owner.end();
    await database.drop();
  });

  it('goes up, down and up again: identical objects, no residue', async () => {
    const schemaOnly = (rows: Awaited<ReturnType<typeof objects>>) => rows.map(({ kind, name, detail }) => (kind === 'schema' ? { kind, name } : { kind, name, detail }));
    const empty = await objects();
    await migrate(database.url, logMigrations);
    const first = await objects();
    expect(first.length).toBeGreaterThan(40);
    await migrate(database.url, logMigrations, 'undo');
    expect(schemaOnly(await objects())).toEqual(schemaOnly(empty));
    expect(JSON.stringify(await objects())).not.toContain('foldwork_app');
    await migrate(database.url, logMigrations);
    expect(await objects()).toEqual(first);
  });

  it('is not made in a database of another encoding, which could not hold every text and hashes other bytes', async () => {
    const name = `${new URL(database.url).pathname.slice(1)}_latin`;
    await owner.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    const made = await migrate(url.toString(), logMigrations).catch((error: unknown) => error);
    await owner.query(`DROP DATABASE ${name} WITH (FORCE)`);
    expect(made).toMatchObject({ message: expect.stringContaining('LATIN1') });
  });

  describe('immutability', () => {
    let application: Client;
    beforeAll(async () => {
      await migrate(database.url, logMigrations);
      const log = createPostgresEventLog({ connectionString: database.url });
      await log.append([anEvent(aRunId())]);
      await log.close();
      application = new Client(connectionSettings({ connectionString: database.url }, { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 }));
      await application.connect();
      await application.query(`INSERT INTO definitions (namespace, hash, body) VALUES ('default', 'h', '{}')`);
    });
    afterAll(() => application.end());

    it.each([
      `UPDATE events SET data = '{}'`,
      'DELETE FROM events',
      'TRUNCATE events',
      `UPDATE definitions SET body = ''`,
      'DELETE FROM definitions',
      'DELETE FROM log_meta',
      `INSERT INTO events SELECT position + 1, recorded_at, run_id, version + 1, schema_version, decide, task, type, namespace, hash, metadata, data FROM events`,
      'ALTER TABLE events DISABLE TRIGGER events_immutable',
      'DROP TABLE events',
    ])('refuses the application role: %s', async (statement) => {
      await expect(application.query(statement)).rejects.toMatchObject({ code: '42501' });
    });

    it('has no statement compiled, not even one that reads a table without an index', async () => {
      const { rows } = await application.query('EXPLAIN SELECT epoch FROM public.log_meta');
      expect(JSON.stringify(rows)).toContain('Seq Scan'); // what counts as dear
      expect(JSON.stringify(rows)).not.toContain('JIT');
    });

    it.each([`UPDATE events SET data = '{}'`, 'DELETE FROM events WHERE false', 'TRUNCATE events', `UPDATE definitions SET body = ''`, 'DELETE FROM definitions'])(
      'refuses even the owner of the tables: %s',
      async (statement) => {
        await expect(owner.query(statement)).rejects.toMatchObject({ code: '55000' });
      },
    );

    it('lets nobody append who was not given the right', async () => {
      const { rows } = await owner.query(`SELECT has_function_privilege('pg_monitor', oid, 'EXECUTE') AS may FROM pg_proc WHERE proname LIKE 'append_event%'`);
      expect(rows).toEqual([{ may: false }, { may: false }, { may: false }]);
    });
  });
});
