import type { EventLog, RecordedEvent, RunId } from '@foldwork/events';
import type { FastifyReply } from 'fastify';
import { eventFrame } from './event-json';
import type { LogTail } from './log-tail';

const HEARTBEAT_MS = 15_000;
/** A client that leaves so much of what is live unread, or reads nothing for so long, is cut off; it comes back with `Last-Event-ID`. */
const UNREAD_BYTES_MAX = 4 * 1_048_576;
const STALLED_MS = 60_000;

export interface StreamSource {
  readonly log: EventLog;
  readonly tail: LogTail;
  readonly runId: RunId;
  /** Position of the last event the client has. */
  readonly after: number;
}

/**
 * Server-sent events of one run: first what the log holds, then live, each event once and in order.
 *  1. Listening begins before the log is read, so nothing falls between the two.
 *  2. What the log holds goes out as fast as the client reads, however much it is: every connection brings it further.
 *     What is committed meanwhile is read from the log afterwards, not kept.
 * Resolves when the stream is open; rejects with `LogUnavailable` before anything was written.
 */
export const streamEvents = (reply: FastifyReply, source: StreamSource): Promise<void> => new EventStream(reply, source).open();

class EventStream {
  private readonly response: FastifyReply['raw'];
  private sent: number;
  private isLive = false;
  /** Something came that the client has not got yet. */
  private isBehind = false;

  constructor(private readonly reply: FastifyReply, private readonly source: StreamSource) {
    this.response = reply.raw;
    this.sent = source.after;
  }

  async open(): Promise<void> {
    const { tail, runId } = this.source;
    const stop = await tail.listen(runId, { hear: (event) => this.hear(event), end: () => this.end() });
    try {
      const known = await this.readOn();
      this.begin(stop);
      void this.catchUp(known);
    } catch (error) {
      stop();
      throw error;
    }
  }

  private begin(stop: () => void): void {
    const { response, reply } = this;
    reply.hijack();
    response.writeHead(200, { 'x-request-id': reply.request.id, 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write('retry: 1000\n\n');
    const heartbeat = setInterval(() => this.isOpen() && response.write(': still here\n\n'), HEARTBEAT_MS);
    const end = (): void => {
      clearInterval(heartbeat);
      stop();
    };
    if (response.closed) end();
    else response.once('close', end);
  }

  /** Never rejects: a log that is away in the middle ends the stream, and the client comes back. */
  private async catchUp(known: readonly RecordedEvent[]): Promise<void> {
    try {
      for (let events = known; this.isOpen(); events = await this.readOn()) {
        await this.sendAll(events);
        if (!this.isBehind) break;
        this.isBehind = false;
      }
      this.isLive = true;
    } catch {
      this.response.destroy();
    }
  }

  private async sendAll(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) if (!this.send(event)) await this.drained();
  }

  private end(): void {
    if (this.response.headersSent) this.response.end();
    else this.response.destroy();
  }

  private hear(event: RecordedEvent): void {
    if (!this.isLive) this.isBehind = true;
    else if (event.position > this.sent) this.send(event);
    if (this.response.writableLength > UNREAD_BYTES_MAX) this.response.destroy();
  }

  /** Whether the client takes more at once. */
  private send(event: RecordedEvent): boolean {
    if (!this.isOpen()) return true;
    this.sent = event.position;
    return this.response.write(eventFrame(event));
  }

  private drained(): Promise<void> {
    const { response } = this;
    return new Promise((resolve) => {
      const stalled = setTimeout(() => response.destroy(), STALLED_MS);
      const done = (): void => {
        clearTimeout(stalled);
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.once('drain', done).once('close', done);
    });
  }

  private readOn(): Promise<RecordedEvent[]> {
    return this.source.log.readRuns([this.source.runId], this.sent);
  }

  private isOpen(): boolean {
    return !this.response.writableEnded && !this.response.destroyed;
  }
}
