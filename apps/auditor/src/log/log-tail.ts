import { LogGap, type EventLog, type RecordedEvent } from '@foldwork/events';

/**
 * The newest part of the log in memory, so that projection, feed, metrics and anchors together read each event once.
 *  1. Pages hang together without a gap; a gap in what the log answers is a bug and ends in `LogGap`.
 *  2. Memory is bounded: the oldest pages go when the events or bytes held are too many; the newest page always stays.
 *  3. A page is asked for in a size that the bytes of the page before allow.
 */
export class LogTail {
  private pages: RecordedEvent[][] = [];
  private bytesByPage: number[] = [];
  private end = 0;
  private count = 0;
  private bytes = 0;
  private limit: number;
  private reading: { readonly after: number; readonly page: Promise<RecordedEvent[]> } | undefined;
  private waiting = new Set<() => void>();

  constructor(
    private readonly log: Pick<EventLog, 'readAfter'>,
    private readonly limits: LogTailLimits = DEFAULT_LIMITS,
  ) {
    this.limit = limits.firstPageEvents;
  }

  /** Position of the newest event seen. */
  get head(): number {
    return this.end;
  }

  /** Events with `position > after`, in order; empty at the end of the log. */
  async read(after: number): Promise<readonly RecordedEvent[]> {
    const held = this.held(after);
    if (held !== undefined) return held;
    if (this.reading?.after === after) return this.reading.page;
    const page = this.fetch(after);
    this.reading = { after, page };
    try {
      return await page;
    } finally {
      if (this.reading?.page === page) this.reading = undefined;
    }
  }

  /**
   * For all but the one consumer that sets the pace: what is there, or what comes within `idleMs`. Looks for itself only
   * when nothing came for that long.
   */
  async follow(after: number, idleMs: number): Promise<readonly RecordedEvent[]> {
    if (after === this.end) await this.arrival(after, idleMs);
    return this.read(after);
  }

  /** Resolves when there is something behind `after`, or after `timeoutMs`, or on `release`. */
  private arrival(after: number, timeoutMs: number): Promise<void> {
    if (this.end > after) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.waiting.add(done);
    });
  }

  /** Ends all waits. */
  release(): void {
    for (const wake of [...this.waiting]) wake();
  }

  private held(after: number): readonly RecordedEvent[] | undefined {
    if (after >= this.end) return undefined;
    for (let index = this.pages.length - 1; index >= 0; index -= 1) {
      const page = this.pages[index] ?? [];
      const before = (page[0]?.position ?? 0) - 1;
      if (after >= before) return after === before ? page : page.slice(after - before);
    }
    return undefined;
  }

  private async fetch(after: number): Promise<RecordedEvent[]> {
    const page = await this.log.readAfter(after, this.limit);
    const bytes = checkedBytes(after, page);
    this.adapt(page.length, bytes);
    if (after < this.end) return page;
    if (after > this.end) this.beginAt(after);
    if (page.length === 0) return page;
    this.keep(page, bytes);
    this.release();
    return page;
  }

  private keep(page: RecordedEvent[], bytes: number): void {
    this.pages.push(page);
    this.bytesByPage.push(bytes);
    this.end = page.at(-1)?.position ?? this.end;
    this.count += page.length;
    this.bytes += bytes;
    while (this.pages.length > 1 && (this.count > this.limits.eventsMax || this.bytes > this.limits.bytesMax)) {
      this.count -= this.pages.shift()?.length ?? 0;
      this.bytes -= this.bytesByPage.shift() ?? 0;
    }
  }

  private beginAt(position: number): void {
    this.end = position;
    this.pages = [];
    this.bytesByPage = [];
    this.count = 0;
    this.bytes = 0;
  }

  private adapt(events: number, bytes: number): void {
    if (bytes > this.limits.pageBytes) this.limit = Math.max(1, Math.floor((this.limit * this.limits.pageBytes) / bytes));
    else if (events === this.limit && bytes * 2 < this.limits.pageBytes) this.limit = Math.min(this.limits.pageEventsMax, this.limit * 2);
  }
}

export interface LogTailLimits {
  readonly firstPageEvents: number;
  readonly pageEventsMax: number;
  /** What a page should hold at most; a page that held more makes the next one smaller. */
  readonly pageBytes: number;
  readonly eventsMax: number;
  readonly bytesMax: number;
}

const MIB = 1024 * 1024;
const DEFAULT_LIMITS: LogTailLimits = { firstPageEvents: 250, pageEventsMax: 2_000, pageBytes: 4 * MIB, eventsMax: 10_000, bytesMax: 24 * MIB };

const checkedBytes = (after: number, page: readonly RecordedEvent[]): number => {
  let bytes = 0;
  let expected = after;
  for (const event of page) {
    expected += 1;
    if (event.position !== expected) throw new LogGap(expected, event.position);
    bytes += event.data.length + event.metadata.length;
  }
  return bytes;
};
