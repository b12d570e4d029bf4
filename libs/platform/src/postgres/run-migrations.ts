import { Client, DatabaseError, type ClientConfig } from 'pg';
import type { DataSource, MigrationInterface } from 'typeorm';
import { APP_ROLE } from './create-pool';

export type MigrationClass = new () => MigrationInterface;

export interface MigrationOptions {
  /** Connects as the owner of the schema. */
  readonly databaseUrl: string;
  /** In any order; they run by the time in their names. */
  readonly migrations: readonly MigrationClass[];
}

/** Any number that nobody else locks in this database: `foldwork` in ASCII, as much as fits 63 bits. */
const MIGRATION_LOCK = '7381240356830343787';
const MIGRATIONS_TABLE = 'foldwork_migrations';

/**
 * Brings the schema up to date and returns the names of the migrations that ran. Processes that start together take
 * turns under an advisory lock, so that each migration runs once. Throws when one fails; it is rolled back then. Throws, too,
 * when a later version has been here.
 */
export const runMigrations = async (options: MigrationOptions): Promise<string[]> => {
  if (await isUpToDate(options)) return [];
  return underLock(options.databaseUrl, async () => {
    if (await isUpToDate(options)) return []; // by whoever had its turn before
    return withDataSource(options, async (source) => (await source.runMigrations({ transaction: 'each' })).map(({ name }) => name));
  });
};

/** Changes nothing, and works with the rights of a service. Throws unless the schema is the one of this version. */
export const requireSchema = async (options: MigrationOptions): Promise<void> => {
  const asService = { ...connection(options.databaseUrl), options: `-c role=${APP_ROLE}` };
  const missing = missingOf(options, await withClient(asService, namesOfDone).catch(noneIf(NO_SUCH_ROLE)));
  if (missing === undefined) return;
  throw new Error(`the schema of the database is missing or older than this version of Foldwork (${missing} has not run). Start one service of this version with FOLDWORK_MIGRATE=on and the URL of the user who owns the schema; then this one can start.`);
};

/** The usual start has nothing to do and need not even load the library for it. */
const isUpToDate = async (options: MigrationOptions): Promise<boolean> =>
  missingOf(options, await withClient(connection(options.databaseUrl), namesOfDone)) === undefined;

/**
 * The first migration that has not run. A service does not work on a schema that is newer than itself, not even for the
 * time of an upgrade: versions do not mix (ADR 17), and what a later one has written would be set aside as unreadable.
 * Those that run already go on until they are replaced.
 */
const missingOf = ({ migrations }: MigrationOptions, done: readonly string[]): string | undefined => {
  const names = migrations.map((migration) => new migration().name ?? migration.name);
  const unknown = done.find((name) => !names.includes(name));
  if (unknown === undefined) return names.find((name) => !done.includes(name));
  throw new Error(`the schema of the database is newer than this version of Foldwork, which does not know ${unknown}. Start the version that brought the schema up to date, or a later one.`);
};

const namesOfDone = async (client: Client): Promise<readonly string[]> => {
  const table = await client.query<{ found: string | null }>('SELECT to_regclass($1) AS found', [`public.${MIGRATIONS_TABLE}`]);
  if (table.rows[0]?.found == null) return [];
  const rows = await client.query<{ name: string }>(`SELECT name FROM public.${MIGRATIONS_TABLE}`).then((result) => result.rows, noneIf(NOT_READABLE));
  return rows.map(({ name }) => name);
};

/** Both come before a migration: the first one makes the role, one of the later ones lets it read the table. */
const NO_SUCH_ROLE = '22023';
const NOT_READABLE = '42501';

const noneIf = (code: string) => (error: unknown): [] => {
  if (error instanceof DatabaseError && error.code === code) return [];
  throw error;
};

/** Takes back all migrations, newest first: for tests and for giving a database back. */
export const revertMigrations = (options: MigrationOptions): Promise<void> =>
  underLock(options.databaseUrl, () =>
    withDataSource(options, async (source) => {
      const executed = await source.query<{ count: string }[]>(`SELECT count(*) FROM ${MIGRATIONS_TABLE}`);
      for (let left = Number(executed[0]?.count ?? 0); left > 0; left -= 1) await source.undoLastMigration({ transaction: 'each' });
    }));

const underLock = <T>(databaseUrl: string, work: () => Promise<T>): Promise<T> =>
  withClient(connection(databaseUrl), async (client) => {
    await client.query('SELECT pg_advisory_lock($1::bigint)', [MIGRATION_LOCK]); // the end of the connection gives it back
    return work();
  });

const connection = (databaseUrl: string): ClientConfig => ({ connectionString: databaseUrl, application_name: 'foldwork-migrate', connectionTimeoutMillis: 5_000 });

const withClient = async <T>(config: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client(config);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** A failure is thrown to the caller, who logs it in the form of all other lines. */
const withDataSource = async <T>({ databaseUrl, migrations }: MigrationOptions, work: (source: DataSource) => Promise<T>): Promise<T> => {
  const { AbstractLogger, DataSource } = await import('typeorm'); // most starts have nothing to migrate and do without it
  class SilentLogger extends AbstractLogger {
    protected override writeLog(): void {
      // nothing, see above
    }
  }
  const source = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    migrations: [...migrations],
    migrationsTableName: MIGRATIONS_TABLE,
    applicationName: 'foldwork-migrate',
    poolSize: 1,
    logger: new SilentLogger(),
  });
  await source.initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
};
