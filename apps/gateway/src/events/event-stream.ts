import type { ServerResponse } from 'node:http';
import type { EventLog, RecordedEvent, RunId } from '@foldwork/events';
import type { FastifyReply } from 'fastify';
import { eventFrame } from './event-json';
import type { LogTail } from './log-tail';

const HEARTBEAT_MS = 15_000;
/** A client that leaves this much unread is cut off; it comes back with `Last-Event-ID` and misses nothing. */
const UNREAD_BYTES_MAX = 4 * 1_048_576;

export interface StreamSource {
  readonly log: EventLog;
  readonly tail: LogTail;
  readonly runId: RunId;
  /** Position of the last event the client has. */
  readonly after: number;
}

/**
 * Server-sent events of one run: first what the log already holds, then live, each event once and in order. Listening
 * begins before the log is read, so nothing falls between the two; what arrives twice is told by its position.
 * Resolves when the stream is open; rejects with `LogUnavailable` before anything was written.
 */
export const streamEvents = async (reply: FastifyReply, source: StreamSource): Promise<void> => {
  const response = reply.raw;
  let sent = source.after;
  let early: RecordedEvent[] | undefined = [];
  const send = (event: RecordedEvent): void => {
    if (event.position <= sent) return;
    sent = event.position;
    response.write(eventFrame(event));
    if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
  };
  const stop = await source.tail.listen(source.runId, (event) => (early === undefined ? send(event) : early.push(event)));
  try {
    const known = await source.log.readRuns([source.runId], source.after);
    reply.hijack();
    response.writeHead(200, { 'x-request-id': reply.request.id, 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write('retry: 1000\n\n');
    for (const event of [...known, ...early]) send(event);
    early = undefined;
  } catch (error) {
    stop();
    throw error;
  }
  keepAlive(response, stop);
};

const keepAlive = (response: ServerResponse, stop: () => void): void => {
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  const end = (): void => {
    clearInterval(heartbeat);
    stop();
  };
  if (response.closed) end();
  else response.once('close', end);
};
