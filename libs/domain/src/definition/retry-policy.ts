import type { RetryOverride } from './task.definition';

/** A complete policy; intervals in milliseconds. */
export type RetryPolicy = Required<RetryOverride>;

export const DEFAULT_RETRY: RetryPolicy = {
  maximumAttempts: 3,
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: 60_000,
  nonRetryableErrors: [],
};

/** Field by field, later levels win: `mergeRetry(document.retry, task.retry)` over the defaults. */
export const mergeRetry = (...levels: readonly (RetryOverride | undefined)[]): RetryPolicy =>
  Object.assign({}, DEFAULT_RETRY, ...levels);
