import type { Bus, EventLog, RecordedEvent, RunId } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';

export interface LogListener {
  hear(event: RecordedEvent): void;
  /** The process stops: nothing comes any more. */
  end(): void;
}

const BATCH = 500;
const POLL_HINTED_MS = 250;
const POLL_UNHINTED_MS = 25;
const TROUBLE_PAUSE_MS = 500;

/**
 * One reader of the log per process, shared by everybody who waits for events of some run. It reads only while somebody
 * listens, is woken by commits of this process and by hints of others, and polls in case those are lost. A listener gets
 * every event of its run that was committed after `listen` resolved, in order.
 */
export class LogTail {
  private readonly listeners = new Map<RunId, Set<LogListener>>();
  private position = 0;
  /** Resolves when the place to read from is known; absent while nobody listens. */
  private ready: Promise<void> | undefined;
  private reading = Promise.resolve();
  private wake = Promise.withResolvers<void>();
  private closed = false;
  private readonly unsubscribe: (() => void)[];

  constructor(private readonly log: EventLog, private readonly bus: Bus, private readonly logger: Logger) {
    const hinted = bus.onHint('log', () => this.wake.resolve());
    this.unsubscribe = [log.onCommit(() => this.wake.resolve()), () => void hinted.close()];
  }

  /** Resolves to the function that ends the listening. Rejects with `LogUnavailable`. */
  async listen(runId: RunId, listener: LogListener): Promise<() => void> {
    const group = this.listeners.get(runId) ?? new Set();
    this.listeners.set(runId, group.add(listener));
    const stop = (): void => {
      group.delete(listener);
      if (group.size === 0 && this.listeners.get(runId) === group) this.listeners.delete(runId);
    };
    this.ready ??= this.start();
    await this.ready.catch((error: unknown) => {
      stop();
      throw error;
    });
    return stop;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    for (const listener of [...this.listeners.values()].flatMap((group) => [...group])) listener.end();
    this.wake.resolve();
    await this.reading;
  }

  private async start(): Promise<void> {
    try {
      this.position = await this.log.head();
      this.reading = this.readWhileHeard();
    } catch (error) {
      this.ready = undefined;
      throw error;
    }
  }

  private async readWhileHeard(): Promise<void> {
    while (!this.closed && this.listeners.size > 0) await this.readOnce();
    this.ready = undefined;
  }

  private async readOnce(): Promise<void> {
    this.wake = Promise.withResolvers<void>();
    try {
      const events = await this.log.readAfter(this.position, BATCH);
      for (const event of events) this.tell(event);
      if (events.length < BATCH) await this.pause(this.bus.isConnected() ? POLL_HINTED_MS : POLL_UNHINTED_MS);
    } catch (err) {
      this.logger.warn({ event: 'tail_interrupted', err });
      await this.pause(TROUBLE_PAUSE_MS);
    }
  }

  private tell(event: RecordedEvent): void {
    this.position = event.position;
    for (const listener of this.listeners.get(event.runId) ?? []) listener.hear(event);
  }

  private async pause(longestMs: number): Promise<void> {
    const timer = setTimeout(() => this.wake.resolve(), longestMs);
    await this.wake.promise;
    clearTimeout(timer);
  }
}
