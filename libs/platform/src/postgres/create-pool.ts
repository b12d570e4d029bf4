import { breakWhenSilent } from '@foldwork/events';
import { Pool, type PoolConfig } from 'pg';

export interface PoolOptions {
  readonly databaseUrl: string;
  readonly maximum: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** A connection that broke while idle; the pool has replaced it already. */
  readonly onIdleError?: (error: Error) => void;
  /** Extra session settings, for example `synchronous_commit`. */
  readonly session?: Readonly<Record<string, string>>;
  /** Keep the rights of the URL's user: for migrations and for making keys, never for a running service. */
  readonly asOwner?: boolean;
}

/** The role every running service switches to: it may append through the function and read, nothing else. */
export const APP_ROLE = 'foldwork_app';

const STATEMENT_LIMIT_MS = 10_000;
/** A little longer than the server's own limit: beyond it nobody is there to keep it. */
const SILENCE_LIMIT_MS = STATEMENT_LIMIT_MS + 2_000;

/**
 * Connections of one process. Opens none by itself; a connection takes at most 3 s to come or the query fails, and one
 * on which a server owes an answer for too long is given up.
 */
export const createPool = (options: PoolOptions): Pool => {
  const pool = new Pool(poolConfig(options));
  pool.on('error', (error) => options.onIdleError?.(error));
  pool.on('connect', (client) => breakWhenSilent(client, SILENCE_LIMIT_MS));
  return pool;
};

const poolConfig = ({ databaseUrl, maximum, applicationName, session = {}, asOwner = false }: PoolOptions): PoolConfig => {
  // Compiling a statement takes 80 ms, and none of ours runs for so long.
  const settings = { ...(asOwner ? {} : { role: APP_ROLE }), statement_timeout: String(STATEMENT_LIMIT_MS), jit: 'off', ...session };
  return {
    connectionString: databaseUrl,
    max: maximum,
    application_name: `foldwork-${applicationName}`,
    options: Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' '),
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
  };
};
