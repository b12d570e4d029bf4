/** How a process connects: one URL, and a role that may append and read but change nothing. */
export interface LogConnection {
  readonly connectionString: string;
  /** Role taken on after the login; `null` keeps the login's own. Default `foldwork_app`. */
  readonly applicationRole?: string | null;
  readonly applicationName?: string;
}

export interface SessionLimits {
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** How long a server may owe an answer, for `breakWhenSilent`: a little longer than its own limit. */
export const silenceLimitMs = ({ statementTimeoutMs }: SessionLimits): number => statementTimeoutMs + 2_000;

export const APPLICATION_ROLE = 'foldwork_app';

/**
 * Options for `pg`'s Client and Pool. Limits and role travel as start-up options, so that they hold from the first
 * statement and cost no round trip; options that the URL brings are kept.
 */
export const connectionSettings = (
  { connectionString, applicationRole = APPLICATION_ROLE, applicationName = 'foldwork-log' }: LogConnection,
  { lockTimeoutMs, statementTimeoutMs }: SessionLimits,
) => {
  const url = new URL(connectionString);
  const options = [url.searchParams.get('options') ?? '', `-c lock_timeout=${lockTimeoutMs}`, `-c statement_timeout=${statementTimeoutMs}`];
  // What waited for the lock must see what the one before it committed, whatever the database's default is.
  options.push('-c default_transaction_isolation=read\\ committed');
  // A plan made while the table was empty is kept for the life of a connection; only the one by index stays good.
  options.push('-c enable_seqscan=off');
  // What reads a table without an index (log_meta) then counts as dear, and would be compiled for 80 ms.
  options.push('-c jit=off');
  if (applicationRole !== null) options.push(`-c role=${applicationRole}`);
  url.searchParams.delete('options');
  return {
    connectionString: url.toString(),
    options: options.join(' ').trim(),
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  };
};
