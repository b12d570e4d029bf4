import type { Json } from '@foldwork/events/contracts';
import type { TaskDefinition } from '../../definition/definition';
import type { TaskCommon } from '../../definition/task.definition';

export interface SignalMatch {
  readonly signal: string;
  /** CEL over `signal` and `processor`. */
  readonly condition?: string;
}
export interface ApprovalRequest {
  readonly roles: readonly string[];
  /** Text with `${ CEL }`. */
  readonly title: string;
  readonly evidence?: Json;
  readonly choices?: readonly string[];
  readonly quorum?: number;
  readonly allowSelf?: boolean;
}

/** Waits for exactly one of: a signal, a time span, a point in time, any or all of several signals, an approval. */
export interface WaitTask extends TaskCommon {
  readonly type: 'wait';
  readonly waitFor?: string;
  readonly condition?: string;
  /** Text with `${ CEL }`: only signals with this correlation id match. */
  readonly correlationId?: string;
  /** Runs on each signal; its id defaults to `processor`. */
  readonly processor?: TaskDefinition;
  /** Milliseconds, or a string with `${ CEL }` that gives a duration. */
  readonly for?: number | string;
  /** RFC 3339, or a string with `${ CEL }` that gives one. */
  readonly until?: string;
  readonly any?: readonly SignalMatch[];
  readonly all?: readonly SignalMatch[];
  readonly approval?: ApprovalRequest;
  /** Milliseconds (>= 1), or a string with `${ CEL }` that gives a duration. */
  readonly timeout?: number | string;
  readonly onTimeout?: { readonly next: string };
}
