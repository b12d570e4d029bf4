import type { NewEvent, PlacedEvent, RecordedEvent, RunId } from '../contracts';

/**
 * The append-only log. Invariants every adapter keeps (tests cite the numbers):
 *  1. positions are 1, 2, 3 … without a gap and equal to commit order;
 *  2. versions of a stream are 1, 2, 3 … without a gap;
 *  3. an append is atomic: all its events or none;
 *  4. an append that was acknowledged is durable;
 *  5. the same append again answers `duplicate` and changes nothing;
 *  6. one refused append never fails its neighbours in the same commit.
 */
export interface EventLog {
  /**
   * Appends atomically; calls in flight together share a commit, or are committed in any order. Rejects with
   * `LogUnavailable` (trouble: try again later) or `EventRefused` (the payload can never be stored), never for a version
   * conflict.
   */
  append(events: readonly NewEvent[]): Promise<AppendOutcome>;
  /**
   * So many calls of `append` made ready now: the function that it returns is to be called once, and all it has to do is
   * to send. For what must not be appended before its moment, nor long after it.
   */
  prepare(appends: readonly (readonly NewEvent[])[]): () => Promise<AppendOutcome>[];
  /** Events with `position > after`, in order, at most `limit`; fewer when they are large, none only at the end of the log. */
  readAfter(after: number, limit: number): Promise<RecordedEvent[]>;
  /** All events of the runs in order of position (those after `after`), one query. */
  readRuns(runIds: readonly RunId[], after?: number): Promise<RecordedEvent[]>;
  /** The newest event of one stream. */
  readLast(runId: RunId, task: string): Promise<RecordedEvent | undefined>;
  /** All publications of workflows, in order. */
  readPublications(): Promise<RecordedEvent[]>;
  /** Position of the newest event, 0 when empty. */
  head(): Promise<number>;
  /** Changes when the log is restored from a backup. */
  epoch(): Promise<string>;
  /** Called after each commit of this process. */
  onCommit(listener: (commit: Commit) => void): () => void;
  /** Resolves when what was appended is answered and connections are gone; not to be used afterwards. */
  close(): Promise<void>;
}

export type AppendOutcome =
  | { readonly status: 'ok'; readonly lastPosition: number }
  | { readonly status: 'duplicate' }
  | { readonly status: 'conflict' };

export interface Commit {
  readonly lastPosition: number;
  /** Whether the commit holds an event that a planner must look at. */
  readonly decide: boolean;
  /** Those events, when the commit is small: whoever is told of them need not read them. */
  readonly deciding?: readonly PlacedEvent[];
}

/** The store is not reachable or refuses writes for now (connection lost, disk full, timeout). Nothing half-accepted. */
export class LogUnavailable extends Error {
  constructor(readonly code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogUnavailable';
  }
}

/** The event itself is at fault: not I-JSON, too deep, too large, an id too long. */
export class EventRefused extends Error {
  constructor(readonly code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EventRefused';
  }
}
