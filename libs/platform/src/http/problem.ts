/** One thing that is wrong with a request. `pointer` is a JSON pointer into the body, or `?name` for a query parameter. */
export interface Fault {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  readonly severity?: 'error' | 'warning';
  readonly hint?: string;
}

export interface ProblemDetails {
  readonly status: number;
  /** Code for programs, snake_case, stable. */
  readonly error: string;
  readonly detail: string;
  /** What the client can do about it. */
  readonly remediation?: string;
  readonly faults?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer other than success, in the form of RFC 9457. Thrown at the HTTP boundary only. */
export class Problem extends Error {
  constructor(readonly details: ProblemDetails, options?: ErrorOptions) {
    super(`${details.error}: ${details.detail}`, options);
    this.name = 'Problem';
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request', 401: 'Not authenticated', 403: 'Not allowed', 404: 'Not found', 405: 'Method not allowed', 406: 'Not acceptable',
  408: 'Request timed out', 409: 'Conflict', 413: 'Too large', 414: 'Address too long', 415: 'Unsupported media type',
  417: 'Expectation failed', 422: 'Invalid content', 429: 'Too many requests', 431: 'Headers too large',
  500: 'Internal error', 503: 'Unavailable',
};

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly error: string;
  readonly remediation?: string;
  readonly requestId?: string;
  readonly faults?: readonly Fault[];
}

export const problemDocument = ({ status, error, detail, remediation, faults }: ProblemDetails, requestId?: string): ProblemDocument => ({
  type: `urn:foldwork:problem:${error}`,
  title: TITLES[status] ?? 'Error',
  status,
  detail,
  error,
  ...(remediation !== undefined && { remediation }),
  ...(requestId !== undefined && { requestId }),
  ...(faults !== undefined && { faults }),
});

export const invalidContent = (faults: readonly Fault[]): Problem =>
  new Problem({
    status: 422,
    error: 'validation_failed',
    detail: faults.length === 1 ? faults[0]?.message ?? '' : `${faults.length} faults; see "faults".`,
    remediation: 'Correct every place named in "faults" and send the request again.',
    faults,
  });

export const badRequest = (error: string, detail: string, remediation: string): Problem =>
  new Problem({ status: 400, error, detail, remediation });

export const notFound = (error: string, detail: string, remediation: string): Problem =>
  new Problem({ status: 404, error, detail, remediation });

export const conflict = (error: string, detail: string, remediation: string): Problem =>
  new Problem({ status: 409, error, detail, remediation });

export const unavailable = (error: string, detail: string, retryAfterSeconds = 1): Problem =>
  new Problem({
    status: 503, error, detail,
    remediation: `Send the same request again after ${retryAfterSeconds} s, with the same Idempotency-Key where it has one.`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  });
