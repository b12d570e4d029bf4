import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigWith } from '../config/read-config';
import type { Logger } from '../logging/logger';
import { ALL_MIGRATIONS } from './all-migrations';
import { requireSchema, runMigrations } from './run-migrations';

type SchemaSettings = Pick<ConfigWith<'databaseUrl'>, 'databaseUrl' | 'migrate'>;

const RETRY_MS = 1_000;

/** No address, nobody there, cut off; 57P03: the server is starting. What it answers besides is not for time to mend. */
const AWAY: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', '57P03']);

/**
 * Brings the schema up to date, or only looks whether it is where that is left to others, as soon as Postgres is there:
 * services may be started in any order, and it is waited for as NATS is. Throws when it is there and refuses, or the schema
 * is not the one of this version.
 */
export const prepareSchema = async ({ databaseUrl, migrate }: SchemaSettings, logger: Logger): Promise<void> => {
  for (;;) {
    try {
      await (migrate ? runMigrations : requireSchema)({ databaseUrl, migrations: ALL_MIGRATIONS });
      return;
    } catch (error) {
      const why = `the database of FOLDWORK_DATABASE_URL, at ${whereOf(databaseUrl)}`;
      if (!isAway(error)) throw new Error(`${why}, cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      logger.warn({ event: 'store_trouble', code: error.code, message: `${why}, is not reachable yet` });
      await sleep(RETRY_MS);
    }
  }
};

const isAway = (error: unknown): error is { readonly code: unknown } => typeof error === 'object' && error !== null && 'code' in error && AWAY.has(error.code);

/** Without user and password. */
const whereOf = (databaseUrl: string): string => {
  const url = URL.parse(databaseUrl);
  return `${url?.host ?? ''}${url?.pathname ?? ''}`;
};
