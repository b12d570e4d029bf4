import { EventRefused, LogUnavailable } from './event-log.port';

/**
 * What an error of Postgres or of the connection means for an append:
 * `occupied`    a version is taken or its predecessor is missing: ask the checking function;
 * `refused`     a value can never be stored (22, 23, 54): find the one that is at fault;
 * `transient`   the same statement may succeed later (08, 40, 53, 55, 57, connection lost, a server that is no primary);
 * `full`        the disk is full: later, but not soon;
 * `broken`      nothing that time mends: missing schema, missing rights.
 */
export type FailureKind = 'occupied' | 'refused' | 'transient' | 'full' | 'broken';

interface DatabaseError {
  readonly code?: unknown;
  /** Only what the server says has one. */
  readonly severity?: unknown;
  readonly constraint?: unknown;
  readonly column?: unknown;
  readonly message?: unknown;
}

const STREAM_CONSTRAINT = 'events_stream_version_key';
const POSITION_CONSTRAINT = 'events_pkey';
const READ_ONLY = '25006';
const TRANSIENT_CLASSES = ['08', '40', '53', '55', '57', '58', 'XX'];
const REFUSED_CLASSES = ['22', '23', '54'];

const asDatabaseError = (error: unknown): DatabaseError => (typeof error === 'object' && error !== null ? error : {});

export const sqlState = (error: unknown): string | undefined => {
  const { code, severity } = asDatabaseError(error);
  return typeof code === 'string' && severity !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined; // EPIPE looks like one
};

export const failureKind = (error: unknown): FailureKind => {
  const state = sqlState(error);
  if (state === undefined) return 'transient'; // of the connection: refused, reset, ended, timed out
  const { constraint, column } = asDatabaseError(error);
  if (state === '23505' && constraint === STREAM_CONSTRAINT) return 'occupied';
  if (state === '23502' && column === 'hash') return 'occupied';
  if (state === '23505' && constraint === POSITION_CONSTRAINT) return 'transient';
  if (state === '53100') return 'full';
  if (state === READ_ONLY || TRANSIENT_CLASSES.includes(state.slice(0, 2))) return 'transient';
  return REFUSED_CLASSES.includes(state.slice(0, 2)) ? 'refused' : 'broken';
};

/** The typed error for callers. Codes: `disk_full`, `timeout`, `disconnected`, `broken`. */
export const toLogUnavailable = (cause: unknown): LogUnavailable => {
  if (cause instanceof LogUnavailable) return cause;
  const message = String(asDatabaseError(cause).message ?? cause);
  return new LogUnavailable(unavailableCode(cause), `the event log is not available: ${message}`, { cause });
};

const unavailableCode = (cause: unknown): string => {
  const kind = failureKind(cause);
  if (kind === 'full') return 'disk_full';
  const state = sqlState(cause);
  if (state === '55P03' || state === '57014') return 'timeout';
  return kind === 'broken' || kind === 'refused' ? 'broken' : 'disconnected';
};

export const toEventRefused = (cause: unknown): EventRefused =>
  new EventRefused(sqlState(cause) ?? 'REFUSED', `the log refuses the event: ${String(asDatabaseError(cause).message)}`, { cause });
