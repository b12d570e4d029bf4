import type { Json } from '@foldwork/events/contracts';

/** A JSON Schema (draft 7 or 2020-12) as the author wrote it. */
export type JsonSchema = boolean | { readonly [keyword: string]: Json };

/** `none` and `idempotent` may be repeated; `keyed` sends a key with each attempt; `once` asks `verify` before a repeat. */
export type EffectClass = 'none' | 'idempotent' | 'keyed' | 'once';
export const EFFECT_CLASSES = ['none', 'idempotent', 'keyed', 'once'] as const;

/** What a level (document, task) says about retries; `mergeRetry` fills the rest. Durations in milliseconds. */
export interface RetryOverride {
  /** At least 1: the first attempt counts. */
  readonly maximumAttempts?: number;
  readonly initialInterval?: number;
  readonly backoffCoefficient?: number;
  readonly maximumInterval?: number;
  readonly nonRetryableErrors?: readonly string[];
}

export interface Transition {
  /** Id of a task of the same list, or `end`. */
  readonly next?: string;
  /** Laid over the target's own `with`; strings may contain `${ CEL }`. */
  readonly with?: Json;
}

/** How to compensate a finished task: an action of its own, or the undo of another task covers it. */
export type Undo = { readonly action: string; readonly with?: Json } | { readonly by: string };

/** Environment values: constants, merged document < container < task. */
export type Env = { readonly [name: string]: string | number | boolean };

/**
 * The fields common to all types. CEL: `when`. Data with `${ CEL }`: `outputs`, `with`s. Durations in milliseconds. Defaults are not filled in: the
 * document's and the engine's come later.
 */
export interface TaskCommon {
  readonly id: string;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly when?: string;
  readonly outputs?: Readonly<Record<string, Json>>;
  readonly output?: JsonSchema;
  readonly retry?: RetryOverride;
  readonly timeout?: number | string;
  readonly scheduleTimeout?: number;
  readonly heartbeat?: number;
  readonly onSuccess?: Transition;
  readonly onError?: Transition;
  readonly sleep?: number;
  readonly final?: boolean;
  readonly undo?: Undo;
  readonly maxVisits?: number;
  readonly env?: Env;
}

/** Common fields of the types whose time limit is a plain duration. */
export interface TimedTask extends TaskCommon {
  readonly timeout?: number;
}

export type Strategy = 'wait_all' | 'fail_fast' | 'best_effort' | 'race';
export const STRATEGIES = ['wait_all', 'fail_fast', 'best_effort', 'race'] as const;
