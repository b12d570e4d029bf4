import type { RecordedEvent } from '../contracts';
import { LogUnavailable, type EventLog } from './event-log.port';
import { WakeableWait } from './wakeable-wait';

/**
 * Follows the log from a cursor. Invariants:
 *  1. the handler sees every event once and in order of position, within the life of this object;
 *  2. the cursor moves only after the handler returned, so a crash repeats a batch and never skips one;
 *  3. a hole in the positions stops the subscription: the log promises there is none, so going on would hide a bug;
 *  4. at most one batch is in memory.
 */
export interface LogSubscriptionOptions {
  readonly name: string;
  readonly log: Pick<EventLog, 'readAfter'>;
  readonly cursor: LogCursor;
  /** Returns when the batch is done with. A transient rejection repeats the same batch, any other stops the subscription. */
  readonly handle: (events: readonly RecordedEvent[]) => Promise<void>;
  /** Called once when the subscription stops by itself: a hole in the log, or a handler that failed for good. */
  readonly onStopped: (error: unknown) => void;
  /** Told about trouble that is retried. */
  readonly onTrouble?: (error: unknown) => void;
  /** Which rejections pass by themselves. Default: `LogUnavailable`. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Whether somebody calls `wake` after commits; polling is rarer then. */
  readonly hasHints?: () => boolean;
  readonly batchEventsMax?: number;
  /** Pause after a batch that was not full, so that a batch is worth its transaction. `hurry` cuts it short. */
  readonly pauseMs?: number;
  readonly pollIntervalMs?: { readonly hinted: number; readonly unhinted: number };
}

/** Where the subscription stands. Without `save` the handler moves the cursor itself, in its own transaction. */
export interface LogCursor {
  /** Position of the last event that is done with. */
  load(): Promise<number>;
  save?(position: number): Promise<void>;
}

/** Positions are not contiguous: the log is damaged or was changed by hand. */
export class LogGap extends Error {
  constructor(readonly expected: number, readonly found: number) {
    super(`the log has a hole: expected position ${expected}, found ${found}`);
    this.name = 'LogGap';
  }
}

const BATCH_EVENTS_MAX = 500;
const POLL_INTERVAL_MS = { hinted: 250, unhinted: 25 };
const RETRY_DELAY_MS = { first: 20, longest: 1_000 };

export class LogSubscription {
  private cursorPosition = 0;
  private isClosed = false;
  private isHurried = false;
  private readonly waiting = new WakeableWait();
  private running: Promise<void> | undefined;

  constructor(private readonly options: LogSubscriptionOptions) {}

  /** Position of the last event that is done with. */
  get position(): number {
    return this.cursorPosition;
  }

  start(): void {
    this.running ??= this.run().catch((error: unknown) => {
      this.isClosed = true;
      this.options.onStopped(error);
    });
  }

  /** There may be something new: ends the wait for it, not the pause between small batches. */
  wake(): void {
    this.waiting.wake('idle');
  }

  /** Somebody waits for the result: ends the pause as well. */
  hurry(): void {
    this.isHurried = true;
    this.waiting.wake('any');
  }

  /** Resolves when the batch in hand is done with and the cursor is saved. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const { cursor, log, batchEventsMax = BATCH_EVENTS_MAX } = this.options;
    await this.patiently(async () => {
      this.cursorPosition = await cursor.load();
    });
    while (!this.isClosed) {
      const events = await this.patiently(() => log.readAfter(this.cursorPosition, batchEventsMax));
      if (events === undefined) return;
      if (events.length === 0) await this.waiting.sleep(this.pollIntervalMs(), 'idle');
      else {
        await this.handle(events);
        if (events.length < batchEventsMax) await this.pause();
      }
    }
  }

  private async handle(events: readonly RecordedEvent[]): Promise<void> {
    const { cursor, handle } = this.options;
    this.requireNoGap(events);
    const isHandled = await this.patiently(async () => {
      await handle(events);
      return true;
    });
    if (isHandled !== true) return;
    this.cursorPosition += events.length;
    await this.patiently(async () => cursor.save?.(this.cursorPosition));
  }

  private requireNoGap(events: readonly RecordedEvent[]): void {
    let expected = this.cursorPosition;
    for (const { position } of events) if (position !== ++expected) throw new LogGap(expected, position);
  }

  private async pause(): Promise<void> {
    const { pauseMs = 0 } = this.options;
    if (pauseMs > 0 && !this.isHurried) await this.waiting.sleep(pauseMs, 'pause');
    this.isHurried = false;
  }

  private pollIntervalMs(): number {
    const { hasHints, pollIntervalMs = POLL_INTERVAL_MS } = this.options;
    return hasHints?.() === true ? pollIntervalMs.hinted : pollIntervalMs.unhinted;
  }

  /** Repeats what fails transiently, for as long as the outage lasts; `undefined` when closed meanwhile. */
  private async patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { isTransient = isLogUnavailable, onTrouble } = this.options;
    for (let delayMs = RETRY_DELAY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS.longest)) {
      try {
        return await work();
      } catch (error) {
        if (!isTransient(error)) throw error;
        onTrouble?.(error);
        if (this.isClosed) return undefined;
        await this.waiting.sleep(delayMs, 'pause');
      }
    }
  }
}

const isLogUnavailable = (error: unknown): boolean => error instanceof LogUnavailable;
