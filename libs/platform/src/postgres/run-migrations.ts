import { Client } from 'pg';
import type { DataSource, MigrationInterface } from 'typeorm';

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
 * turns under an advisory lock, so that each migration runs once. Throws when one fails; it is rolled back then.
 */
export const runMigrations = async (options: MigrationOptions): Promise<string[]> => {
  if (await isUpToDate(options)) return [];
  return underLock(options.databaseUrl, async () =>
    withDataSource(options, async (source) => (await source.runMigrations({ transaction: 'each' })).map(({ name }) => name)));
};

/** The usual start has nothing to do and need not even load the library for it. */
const isUpToDate = async ({ databaseUrl, migrations }: MigrationOptions): Promise<boolean> => {
  const client = new Client({ connectionString: databaseUrl, application_name: 'foldwork-migrate', connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const table = await client.query<{ found: string | null }>('SELECT to_regclass($1) AS found', [`public.${MIGRATIONS_TABLE}`]);
    if (table.rows[0]?.found == null) return false;
    const { rows } = await client.query<{ name: string }>(`SELECT name FROM public.${MIGRATIONS_TABLE}`);
    const done = new Set(rows.map(({ name }) => name));
    return migrations.every((migration) => done.has(new migration().name ?? migration.name));
  } finally {
    await client.end();
  }
};

/** Takes back all migrations, newest first: for tests and for giving a database back. */
export const revertMigrations = (options: MigrationOptions): Promise<void> =>
  underLock(options.databaseUrl, () =>
    withDataSource(options, async (source) => {
      const executed = await source.query<{ count: string }[]>(`SELECT count(*) FROM ${MIGRATIONS_TABLE}`);
      for (let left = Number(executed[0]?.count ?? 0); left > 0; left -= 1) await source.undoLastMigration({ transaction: 'each' });
    }));

const underLock = async <T>(databaseUrl: string, work: () => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: databaseUrl, application_name: 'foldwork-migrate', connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1::bigint)', [MIGRATION_LOCK]);
    return await work();
  } finally {
    await client.end(); // gives the lock back
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
