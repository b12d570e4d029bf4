import type { EventLog, RunId } from '@foldwork/events';
import { formatRunId } from '@foldwork/events';
import { invalidContent } from '@foldwork/platform/http';
import type { FastifyReply } from 'fastify';
import { runNotFound } from '../runs/run-reader';
import { eventJson } from './event-json';
import { streamEvents } from './event-stream';
import type { LogTail } from './log-tail';

/** The events of one run as clients read them, within one namespace. */
export class RunEvents {
  constructor(private readonly log: EventLog, private readonly tail: LogTail) {}

  /** JSON text of at most `limit` events behind the position. */
  async page(namespace: string, runId: RunId, after: number, limit: number): Promise<string> {
    await this.requireRun(namespace, runId);
    if (await this.isBeyond(after)) throw invalidContent([{ pointer: '?after', code: 'unknown_position', message: 'after lies beyond the log, which may have been restored from a backup. Begin again without it.' }]);
    const events = await this.log.readRuns([runId], after);
    const page = events.slice(0, limit);
    const next = page.at(-1)?.position ?? after;
    return `{"events":[${page.map(eventJson).join(',')}],"next":"${next}","hasMore":${events.length > limit}}`;
  }

  /** Answers with the events behind the position and then live, until the client leaves; behind a position that the log does not have yet, with all of them. */
  async stream(namespace: string, runId: RunId, after: number, reply: FastifyReply): Promise<void> {
    await this.requireRun(namespace, runId);
    const from = (await this.isBeyond(after)) ? 0 : after;
    await streamEvents(reply, { log: this.log, tail: this.tail, runId, after: from });
  }

  /** No event that anybody has can be newer than the log, unless it was restored from a backup since. */
  private async isBeyond(after: number): Promise<boolean> {
    return after > 0 && after > (await this.log.head());
  }

  private async requireRun(namespace: string, runId: RunId): Promise<void> {
    const newest = await this.log.readLast(runId, '');
    if (newest?.namespace !== namespace || newest.type === 'WorkflowPublished') throw runNotFound(formatRunId(runId));
  }
}
