import { Pool } from 'pg';
import type { NewEvent, RecordedEvent, RunId } from '../contracts';
import { AppendBatchEncoder } from './append-batch-encoder';
import { AppendBatchWriter, DEFAULT_RETRY_DELAYS_MS } from './append-batch-writer';
import { AppendConnection } from './append-connection';
import { breakWhenSilent } from './break-when-silent';
import { connectionSettings, silenceLimitMs, type LogConnection } from './connection-settings';
import { CommitListeners } from './commit-listeners';
import { EventRefused, LogUnavailable, type AppendOutcome, type Commit, type EventLog } from './event-log.port';
import { DEFAULT_EVENT_LIMITS, validateEvent, type EventLimits } from './event-validation';
import { DEFAULT_GROUP_COMMIT_LIMITS, GroupCommit, type GroupCommitLimits } from './group-commit';
import { toLogUnavailable } from './postgres-failure';
import { eventsAfter, eventsOfRuns, lastEventOf, publications, toRecordedEvent, type EventRow } from './read-events.query';
import { queryRows, type Statement } from './rows-query';

/**
 * The event log on Postgres. Owns: one connection that appends, a few that read. How the invariants of EventLog are kept:
 *  1. Positions: `append_events` takes one advisory lock, reads the newest position, numbers on from it and commits; the
 *     lock is released after the commit is visible, so the order of positions is the order of commits and a reader of
 *     `position > cursor` never meets a hole that is filled later (a sequence leaves such holes).
 *  2. Versions: the unique constraint on (run, task, version), and the hash of version v, which cannot be computed
 *     without version v - 1.
 *  3. Atomicity: one append is never split over two statements.
 *  4. Durability: an append is acknowledged after the commit returned, with the server's own `synchronous_commit`.
 *  5. Repetition: a batch whose fate is unknown is sent again unchanged; the checking function compares byte for byte.
 *  6. Neighbours: a conflict sends the batch once through the checking function, which answers each append for itself;
 *     a value that the database refuses is found by bisecting. Validation makes the latter rare.
 */
export interface PostgresEventLogOptions extends LogConnection {
  /** Told about trouble that no caller sees (a connection that breaks while idle, a failing commit listener). */
  readonly onError?: (error: unknown) => void;
  readonly eventLimits?: EventLimits;
  readonly groupCommitLimits?: GroupCommitLimits;
  readonly retryDelaysMs?: readonly number[];
  readonly readConnectionsMax?: number;
}

/** A thousand usual events have a fortieth of it. Whoever reads more at once pays with a new connection. */
const PAGE_UNITS_MAX = 16 * 1024 * 1024;
const SESSION_LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 };

export const createPostgresEventLog = (options: PostgresEventLogOptions): PostgresEventLog => new PostgresEventLog(options);

export class PostgresEventLog implements EventLog {
  private readonly appendConnection: AppendConnection;
  private readonly reading: Pool;
  private readonly groupCommit: GroupCommit;
  private readonly eventLimits: EventLimits;
  private readonly listeners: CommitListeners;
  private isClosed = false;

  constructor(options: PostgresEventLogOptions) {
    const onError = options.onError ?? (() => undefined);
    const settings = connectionSettings(options, SESSION_LIMITS);
    this.listeners = new CommitListeners(onError);
    this.eventLimits = options.eventLimits ?? DEFAULT_EVENT_LIMITS;
    this.reading = new Pool({ ...settings, max: options.readConnectionsMax ?? 4, allowExitOnIdle: true });
    this.reading.on('error', onError);
    this.reading.on('connect', (client) => breakWhenSilent(client, silenceLimitMs(SESSION_LIMITS)));
    this.appendConnection = new AppendConnection(settings, silenceLimitMs(SESSION_LIMITS), onError);
    const delays = options.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
    const writer = new AppendBatchWriter(this.appendConnection, new AppendBatchEncoder(), delays);
    this.groupCommit = new GroupCommit(
      writer,
      (commit) => this.listeners.tell(commit),
      options.groupCommitLimits ?? DEFAULT_GROUP_COMMIT_LIMITS,
    );
  }

  async append(events: readonly NewEvent[]): Promise<AppendOutcome> {
    if (this.isClosed) throw new LogUnavailable('closed', 'the event log is closed');
    this.validate(events);
    return this.groupCommit.append(events);
  }

  prepare(appends: readonly (readonly NewEvent[])[]): () => Promise<AppendOutcome>[] {
    const sound = new Set(appends.filter((events) => this.isSound(events)));
    const send = this.groupCommit.prepare([...sound]);
    return () => {
      const sent = (this.isClosed ? [] : send()).values();
      return appends.map((events) => (sound.has(events) ? sent.next().value : undefined) ?? this.append(events)); // which says what is wrong
    };
  }

  readAfter(after: number, limit: number): Promise<RecordedEvent[]> {
    return this.readEvents(eventsAfter(after, limit), PAGE_UNITS_MAX);
  }

  readRuns(runIds: readonly RunId[], after = 0): Promise<RecordedEvent[]> {
    return runIds.length === 0 ? Promise.resolve([]) : this.readEvents(eventsOfRuns(runIds, after));
  }

  async readLast(runId: RunId, task: string): Promise<RecordedEvent | undefined> {
    return (await this.readEvents(lastEventOf(runId, task)))[0];
  }

  readPublications(): Promise<RecordedEvent[]> {
    return this.readEvents(publications());
  }

  async head(): Promise<number> {
    const [position] = await this.readRow('SELECT coalesce(max(position), 0) FROM public.events');
    return Number(position);
  }

  async epoch(): Promise<string> {
    const [epoch] = await this.readRow('SELECT epoch FROM public.log_meta');
    if (typeof epoch !== 'string') throw new LogUnavailable('broken', 'log_meta has no row');
    return epoch;
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    return this.listeners.add(listener);
  }

  /** Lets accepted appends finish, then closes the connections. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.groupCommit.drain();
    await Promise.all([this.appendConnection.close(), this.reading.end()]);
  }

  private validate(events: readonly NewEvent[]): void {
    if (events.length === 0) throw new EventRefused('APPEND_EMPTY', 'an append needs at least one event');
    for (const event of events) validateEvent(event, this.eventLimits);
  }

  private isSound(events: readonly NewEvent[]): boolean {
    try {
      this.validate(events);
      return true;
    } catch (error) {
      if (error instanceof EventRefused) return false;
      throw error;
    }
  }

  private async readEvents(statement: Statement, unitsMax?: number): Promise<RecordedEvent[]> {
    try {
      return (await queryRows<EventRow>(this.reading, statement, unitsMax)).map(toRecordedEvent);
    } catch (error) {
      throw toLogUnavailable(error);
    }
  }

  private async readRow(text: string): Promise<readonly unknown[]> {
    try {
      const { rows } = await this.reading.query<unknown[]>({ text, rowMode: 'array' });
      return rows[0] ?? [];
    } catch (error) {
      throw toLogUnavailable(error);
    }
  }
}
