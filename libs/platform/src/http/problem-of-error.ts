import { HttpException } from '@nestjs/common';
import { BusUnavailable, EventRefused, LogUnavailable } from '@foldwork/events';
import { IssuerUnavailable } from '../auth/token-verifier';
import { invalidContent, Problem, unavailable, type ProblemDetails } from './problem';

/** What a client may know about any error. Never a stack trace, never a database text. */
export const problemOfError = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof EventRefused) return invalidContent([{ pointer: '', code: error.code.toLowerCase(), message: 'The content cannot be stored: it is not valid I-JSON, too deep or too large.' }]);
  if (error instanceof LogUnavailable) return ofStore(error);
  if (error instanceof BusUnavailable) return unavailable('bus_unavailable', 'The message bus cannot be reached right now.');
  if (error instanceof IssuerUnavailable) return unavailable('issuer_unavailable', 'The token issuer cannot be reached right now.', 5);
  if (error instanceof HttpException) return problemOfStatus(error.getStatus(), error);
  return ofFastify(error) ?? internal(error);
};

/** `broken` is nothing that time mends (a missing table, a missing right): a fault of the installation. */
const ofStore = (cause: LogUnavailable): Problem => {
  if (cause.code === 'broken') return internal(cause);
  return new Problem(cause.code === 'disk_full' ? STORE_IS_FULL : STORE_IS_DOWN, { cause });
};

const STORE_IS_FULL: ProblemDetails = {
  status: 503,
  error: 'store_full',
  detail: 'The disk of the event log is full. Nothing of this request was stored; nothing stored earlier is lost.',
  remediation: 'Give the Postgres server more disk space, then send the same request again.',
  headers: { 'retry-after': '30' },
};

const STORE_IS_DOWN = unavailable('store_unavailable', 'The event log cannot be reached right now. Whether an append in flight was stored shows when the same request is sent again.').details;

const internal = (cause: unknown): Problem =>
  new Problem({
    status: 500,
    error: 'internal_error',
    detail: 'The request met a fault of the server.',
    remediation: 'Report it with the requestId; the server\'s log has the cause under it.',
  }, { cause });

const BY_STATUS: Readonly<Record<number, Omit<ProblemDetails, 'status'>>> = {
  400: { error: 'bad_request', detail: 'The request cannot be read.', remediation: 'Check how method, path, headers and length of the body are written.' },
  404: { error: 'route_not_found', detail: 'There is nothing under this path and method.', remediation: 'GET /openapi.json lists all calls.' },
  405: { error: 'method_not_allowed', detail: 'The path does not take this method.', remediation: 'GET /openapi.json lists all calls.' },
  408: { error: 'request_timeout', detail: 'The request took too long to arrive.', remediation: 'Send it again, at one go.' },
  413: { error: 'body_too_large', detail: 'The body is larger than 1 MiB.', remediation: 'Store large content elsewhere and send a reference to it.' },
  414: { error: 'uri_too_long', detail: 'The path is too long.', remediation: 'GET /openapi.json lists all calls.' },
  415: { error: 'unsupported_media_type', detail: 'A body of this content-type is not taken.', remediation: 'Send content-type: application/json; a workflow may also be application/yaml.' },
  417: { error: 'expectation_failed', detail: 'Nothing but "100-continue" can be expected.', remediation: 'Leave the header expect out.' },
  431: { error: 'headers_too_large', detail: 'The headers are larger than 16 KiB.', remediation: 'Send fewer or shorter headers.' },
};

/** For what Node, Fastify or Nest refuse by themselves. */
export const problemOfStatus = (status: number, cause?: unknown): Problem => {
  const known = BY_STATUS[status];
  return known === undefined ? internal(cause) : new Problem({ status, ...known }, { cause });
};

/** Errors of Fastify itself carry `statusCode` and a code that starts with `FST_`. */
const ofFastify = (error: unknown): Problem | undefined => {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const isFastify = typeof error.code === 'string' && error.code.startsWith('FST_');
  return isFastify && typeof error.statusCode === 'number' && error.statusCode < 500 ? problemOfStatus(error.statusCode, error) : undefined;
};
