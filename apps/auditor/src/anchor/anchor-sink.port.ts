import type { Anchor } from './rolling-root';

/** A place outside the database that keeps anchors: what makes them worth something. */
export interface AnchorSink {
  /** Position of the newest anchor it certainly has, 0 for none. */
  newest(): Promise<number>;
  /** In order; the same anchor may come twice. Rejects when it cannot take them, and soon after `signal` aborts. */
  write(anchors: readonly Anchor[], signal: AbortSignal): Promise<void>;
}
