import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { sharedPostgresUrl } from './shared-postgres';

export type Migrations = readonly (new () => MigrationInterface)[];

export interface TestDatabase {
  readonly url: string;
  /** Ends its connections and removes it. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Run once per test run into a template; the database is a copy of it. None: an empty database. */
  readonly migrations?: Migrations;
  /** Server to use (its superuser's URL); default the shared one of the run. */
  readonly serverUrl?: string;
}

const LOOKS_MAX = 20;
const LOOK_PAUSE_MS = 15;
const TEMPLATE_LOCK = 'pg_advisory_lock(1179602020, 99)';
/** As the services call it, which look there for whether the schema is theirs. */
const MIGRATIONS_TABLE = 'foldwork_migrations';

/** A database of one's own for a test file. */
export const createTestDatabase = async ({ migrations = [], serverUrl }: TestDatabaseOptions = {}): Promise<TestDatabase> => {
  const server = serverUrl ?? (await sharedPostgresUrl());
  const name = `fw_test_${randomBytes(6).toString('hex')}`;
  await withClient(server, async (client) => {
    // The lock also keeps two copies of one template apart: Postgres copies a template for one at a time.
    await client.query(`SELECT ${TEMPLATE_LOCK}`);
    const template = await ensureTemplate(client, server, migrations);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const drop = () =>
    withClient(server, async (client) => {
      await connectionsEnded(client, name);
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    });
  return { url: databaseUrl(server, name), drop };
};

/** A connection that is being ended takes a moment; thrown out in it, it would complain to whoever ended it. */
const connectionsEnded = async (client: Client, name: string): Promise<void> => {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const { rows } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [name]);
    if (rows.length === 0) return;
    await sleep(LOOK_PAUSE_MS);
  }
};

/** Brings the database up to date with the migrations; `undo` takes back all of them, newest first. */
export const migrate = async (url: string, migrations: Migrations, direction: 'up' | 'undo' = 'up'): Promise<void> => {
  const source = new DataSource({ type: 'postgres', url, migrations: [...migrations], migrationsTableName: MIGRATIONS_TABLE, migrationsTransactionMode: 'each' });
  await source.initialize();
  try {
    if (direction === 'up') await source.runMigrations();
    else for (let left = migrations.length; left > 0; left--) await source.undoLastMigration();
  } finally {
    await source.destroy();
  }
};

/** Named after the text of its migrations: a changed migration makes a new template. */
const ensureTemplate = async (client: Client, server: string, migrations: Migrations): Promise<string> => {
  if (migrations.length === 0) return 'template1';
  const hash = createHash('sha256').update([MIGRATIONS_TABLE, ...migrations].join('\n')).digest('hex').slice(0, 16);
  const name = `fw_template_${hash}`;
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 1) return name;
  await client.query(`DROP DATABASE IF EXISTS ${name}_unfinished WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${name}_unfinished`);
  await migrate(databaseUrl(server, `${name}_unfinished`), migrations);
  await client.query(`ALTER DATABASE ${name}_unfinished RENAME TO ${name}`);
  return name;
};

const databaseUrl = (server: string, name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
};

const withClient = async <T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};
