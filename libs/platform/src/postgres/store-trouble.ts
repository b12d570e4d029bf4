/**
 * Whether an error of `pg` means that the store is out of reach or refuses work for now, so that the same request may
 * succeed later. Judged by codes: SQLSTATE classes 08 connection, 40 rollback, 53 resources, 55 not in state, 57
 * intervention, 58 system; and the socket errors of Node.
 */
export const isStoreTrouble = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isStoreTrouble);
  const code = 'code' in error ? String(error.code) : '';
  return SOCKET_CODES.has(code) || /^(08|40|53|55|57|58)[0-9A-Z]{3}$/.test(code) || isPoolTrouble(error);
};

/** SQLSTATE of "no space left on device". */
export const DISK_FULL = '53100';

const SOCKET_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** `pg` and `pg-pool` give these errors no code, so their text is all there is to tell them by. */
const POOL_MESSAGES = [
  'timeout exceeded when trying to connect', 'timeout expired', 'Query read timeout', 'Client has encountered a connection error',
  'Connection terminated', 'Cannot use a pool after calling end',
];
const isPoolTrouble = (error: Error): boolean =>
  !('code' in error) && POOL_MESSAGES.some((message) => error.message.startsWith(message));
