import type { RetryOverride } from './task.definition';

/** Field by field, later levels win: `mergeRetry(document.retry, task.retry)`. Defaults are the engine's to add. */
export const mergeRetry = (...levels: readonly (RetryOverride | undefined)[]): RetryOverride => Object.assign({}, ...levels) as RetryOverride;
