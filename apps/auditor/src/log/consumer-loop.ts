import { LogGap } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';

/** One round of a consumer: does what is there to do, then waits for more. Must return soon after `signal` aborts. */
export type Round = (signal: AbortSignal) => Promise<void>;

const FIRST_BACKOFF_MS = 50;
const BACKOFF_MAX_MS = 2_000;

/**
 * Repeats a round until it is stopped. Trouble is retried with growing delay and told once, its end too. A gap in the
 * log stops the loop for good: reading on would lose an event.
 */
export class ConsumerLoop {
  private readonly stopping = new AbortController();
  private ended: Promise<void> = Promise.resolve();
  private failures = 0;
  private stoppedBy: string | undefined;

  constructor(
    private readonly name: string,
    private readonly round: Round,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.ended = this.repeat();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }

  /** Why it does not work at present, in words; `undefined` when it does. */
  get trouble(): string | undefined {
    return this.stoppedBy ?? (this.failures > 2 ? `${this.name} has failed ${this.failures} times in a row` : undefined);
  }

  private async repeat(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && this.stoppedBy === undefined) {
      try {
        await this.round(signal);
        if (this.failures > 0) this.logger.info({ event: 'consumer_recovered', consumer: this.name });
        this.failures = 0;
      } catch (error) {
        await this.handle(error, signal);
      }
    }
  }

  private async handle(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof LogGap) {
      this.stoppedBy = error.message;
      this.logger.error({ event: 'consumer_stopped', consumer: this.name, err: error });
      return;
    }
    if (signal.aborted) return; // cut short
    if (this.failures === 0) this.logger.warn({ event: 'consumer_failed', consumer: this.name, err: error });
    this.failures += 1;
    await sleep(Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(this.failures - 1, 10), BACKOFF_MAX_MS), signal);
  }
}

/** Resolves after the delay or when the signal aborts, whichever is first. */
export const sleep = (delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
