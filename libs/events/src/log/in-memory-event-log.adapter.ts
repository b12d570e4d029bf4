import { randomUUID } from 'node:crypto';
import type { NewEvent, RecordedEvent, RunId } from '../contracts';
import { CommitListeners } from './commit-listeners';
import { commitOf } from './commit-of';
import { eventHash, GENESIS_HASH } from './event-hash';
import { EventRefused, LogUnavailable, type AppendOutcome, type Commit, type EventLog } from './event-log.port';
import { DEFAULT_EVENT_LIMITS, validateEvent, type EventLimits } from './event-validation';
import { streamKey } from './stream-key';

export interface InMemoryEventLogOptions {
  /** Milliseconds since 1970 for `recordedAt`; a simulation gives its own clock. */
  readonly now?: () => number;
  readonly epoch?: string;
  readonly eventLimits?: EventLimits;
  readonly onError?: (error: unknown) => void;
}

/** Twin of the Postgres log for simulations and specifications: same answers, same hashes, nothing durable. */
export class InMemoryEventLog implements EventLog {
  private readonly events: RecordedEvent[] = [];
  private readonly streams = new Map<string, RecordedEvent[]>();
  private readonly runs = new Map<string, RecordedEvent[]>();
  private readonly listeners: CommitListeners;
  private readonly now: () => number;
  private readonly currentEpoch: string;
  private readonly eventLimits: EventLimits;
  private isClosed = false;

  constructor(options: InMemoryEventLogOptions = {}) {
    this.listeners = new CommitListeners(options.onError ?? (() => undefined));
    this.now = options.now ?? Date.now;
    this.currentEpoch = options.epoch ?? randomUUID();
    this.eventLimits = options.eventLimits ?? DEFAULT_EVENT_LIMITS;
  }

  async append(events: readonly NewEvent[]): Promise<AppendOutcome> {
    if (this.isClosed) throw new LogUnavailable('closed', 'the event log is closed');
    if (events.length === 0) throw new EventRefused('APPEND_EMPTY', 'an append needs at least one event');
    for (const event of events) validateEvent(event, this.eventLimits);
    if (events.every((event) => this.holds(event))) return { status: 'duplicate' };
    if (!this.isNext(events)) return { status: 'conflict' };
    for (const event of events) this.record(event);
    const lastPosition = this.events.length;
    this.listeners.tell(commitOf(lastPosition, [{ events, lastPosition }]));
    return { status: 'ok', lastPosition };
  }

  prepare(appends: readonly (readonly NewEvent[])[]): () => Promise<AppendOutcome>[] {
    return () => appends.map((events) => this.append(events));
  }

  async readAfter(after: number, limit: number): Promise<RecordedEvent[]> {
    return this.events.slice(after, after + limit);
  }

  async readRuns(runIds: readonly RunId[], after = 0): Promise<RecordedEvent[]> {
    const found = [...new Set(runIds)].flatMap((runId) => this.runs.get(runId) ?? []);
    return found.filter(({ position }) => position > after).sort((left, right) => left.position - right.position);
  }

  async readLast(runId: RunId, task: string): Promise<RecordedEvent | undefined> {
    return this.streams.get(streamKey({ runId, task }))?.at(-1);
  }

  async readPublications(): Promise<RecordedEvent[]> {
    return this.events.filter(({ type }) => type === 'WorkflowPublished');
  }

  async head(): Promise<number> {
    return this.events.length;
  }

  async epoch(): Promise<string> {
    return this.currentEpoch;
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    return this.listeners.add(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  private holds(event: NewEvent): boolean {
    const stored = this.streams.get(streamKey(event))?.[event.version - 1];
    return stored !== undefined && hasSameContent(stored, event);
  }

  /** Each event is the next version of its stream, counting those before it in the same append. */
  private isNext(events: readonly NewEvent[]): boolean {
    const heads = new Map<string, number>();
    return events.every((event) => {
      const key = streamKey(event);
      const head = heads.get(key) ?? this.streams.get(key)?.length ?? 0;
      heads.set(key, event.version);
      return event.version === head + 1;
    });
  }

  private record(event: NewEvent): void {
    const stream = listOf(this.streams, streamKey(event));
    const hash = eventHash(stream.at(-1)?.hash ?? GENESIS_HASH, event);
    const recorded: RecordedEvent = { ...event, position: this.events.length + 1, recordedAt: this.now(), hash };
    for (const list of [this.events, stream, listOf(this.runs, event.runId)]) list.push(recorded);
  }
}

const hasSameContent = (left: NewEvent, right: NewEvent): boolean =>
  left.type === right.type && left.schemaVersion === right.schemaVersion && left.namespace === right.namespace &&
  left.decide === right.decide && left.metadata === right.metadata && left.data === right.data;

const listOf = (lists: Map<string, RecordedEvent[]>, key: string): RecordedEvent[] => {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
};
