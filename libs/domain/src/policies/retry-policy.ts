import type { FailureDetail } from '@foldwork/events/contracts';

/** Durations in milliseconds. `maximumAttempts` counts the first one. */
export interface RetryPolicy {
  readonly maximumAttempts: number;
  readonly initialIntervalMs: number;
  readonly backoffCoefficient: number;
  readonly maximumIntervalMs: number;
  readonly nonRetryableErrors: readonly string[];
}

export const DEFAULT_RETRY: RetryPolicy = {
  maximumAttempts: 3,
  initialIntervalMs: 1_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 60_000,
  nonRetryableErrors: [],
};

/** Wait before attempt n (n >= 2): min(initial x coefficient^(n-2), maximum), whole milliseconds. */
export const retryDelayMs = (policy: RetryPolicy, attempt: number): number =>
  Math.round(Math.min(policy.initialIntervalMs * policy.backoffCoefficient ** (attempt - 2), policy.maximumIntervalMs));

export const isRetryable = (policy: RetryPolicy, error: FailureDetail | undefined): boolean =>
  error === undefined || !(NEVER_RETRIED.has(error.code) || policy.nonRetryableErrors.includes(error.code));

/** Trying the same again cannot end differently. */
const NEVER_RETRIED: ReadonlySet<string> = new Set(['EXPRESSION_ERROR', 'INPUT_INVALID', 'ACTION_NOT_RETRYABLE', 'CHILD_DEFINITION_INVALID', 'APPROVAL_NOT_AVAILABLE', 'MAX_VISITS', 'RESOLVED_AS_FAILED', 'ROLLBACK_FAILED']);

/** An executor that vanished says nothing against the task: it is tried again at once. */
export const LEASE_LOST = 'LEASE_LOST';
