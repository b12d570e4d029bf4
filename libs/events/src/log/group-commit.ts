import type { NewEvent } from '../contracts';
import type { BatchResult, Settlement } from './append-batch-writer';
import { commitOf, type Appended } from './commit-of';
import { LogUnavailable, type AppendOutcome, type Commit } from './event-log.port';

export interface GroupCommitLimits {
  /** Events in one statement. */
  readonly batchEventsMax: number;
  /** UTF-16 units of payload in one statement; a larger append goes alone. */
  readonly batchUnitsMax: number;
  /** Events and units that may wait; beyond that an append is rejected at once (`overloaded`). */
  readonly queueEventsMax: number;
  readonly queueUnitsMax: number;
}

export const DEFAULT_GROUP_COMMIT_LIMITS: GroupCommitLimits = {
  batchEventsMax: 500,
  batchUnitsMax: 4 * 1024 * 1024,
  queueEventsMax: 50_000,
  queueUnitsMax: 64 * 1024 * 1024,
};

interface Sized {
  readonly events: readonly NewEvent[];
  readonly units: number;
}

interface Waiting extends Sized {
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}

interface BatchWriter {
  write(appends: readonly (readonly NewEvent[])[]): Promise<BatchResult>;
  prepare(appends: readonly (readonly NewEvent[])[]): () => Promise<BatchResult>;
}

/** One that is carried out and one that waits at the server, so that it has no pause between the two. */
const IN_FLIGHT_MAX = 2;

/**
 * One statement in flight; what arrives meanwhile leaves together in the next one, as soon as that is full or the first
 * one answered. No timer: alone, an append leaves in the same turn of the event loop, under load the batches grow by
 * themselves.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private waitingEvents = 0;
  private waitingUnits = 0;
  private isScheduled = false;
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly writer: BatchWriter,
    private readonly onCommit: (commit: Commit) => void,
    private readonly limits: GroupCommitLimits = DEFAULT_GROUP_COMMIT_LIMITS,
  ) {}

  append(events: readonly NewEvent[]): Promise<AppendOutcome> {
    const { units } = sized(events);
    const { queueEventsMax, queueUnitsMax } = this.limits;
    if (this.waitingEvents + events.length > queueEventsMax || (this.waitingUnits + units > queueUnitsMax && this.waitingUnits > 0))
      return Promise.reject(new LogUnavailable('overloaded', `${this.waitingEvents} events wait for the log already`));
    return new Promise((resolve, reject) => {
      this.waiting.push({ events, units, resolve, reject });
      this.waitingEvents += events.length;
      this.waitingUnits += units;
      this.schedule();
    });
  }

  /** What is prepared waits for nothing when it is sent: it follows the statements that are on their way already. */
  prepare(appends: readonly (readonly NewEvent[])[]): () => Promise<AppendOutcome>[] {
    const prepared = appends.map((events) => ({ ...sized(events), ...Promise.withResolvers<AppendOutcome>() }));
    const batches: { readonly batch: readonly Waiting[]; readonly send: () => Promise<BatchResult> }[] = [];
    for (let start = 0; start < prepared.length; ) {
      const batch = prepared.slice(start, start + this.batchLength(prepared.slice(start)));
      batches.push({ batch, send: this.writer.prepare(batch.map(({ events }) => events)) });
      start += batch.length;
    }
    return () => {
      for (const { batch, send } of batches) this.follow(batch, send());
      return prepared.map(({ promise }) => promise);
    };
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async drain(): Promise<void> {
    while (this.inFlight.size > 0 || this.waiting.length > 0) {
      this.start();
      await Promise.race(this.inFlight);
    }
  }

  /** After the present callbacks, so that appends made in one turn (answers of the last batch) share a statement. */
  private schedule(): void {
    if (this.isScheduled || !this.mayStart) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.start();
    });
  }

  private get isFull(): boolean {
    return this.waitingEvents >= this.limits.batchEventsMax;
  }

  private get mayStart(): boolean {
    return this.inFlight.size === 0 ? this.waiting.length > 0 : this.inFlight.size < IN_FLIGHT_MAX && this.isFull;
  }

  private start(): void {
    while (this.mayStart) {
      const batch = this.takeBatch();
      this.follow(batch, this.writer.write(batch.map(({ events }) => events)));
    }
  }

  private follow(batch: readonly Waiting[], writing: Promise<BatchResult>): void {
    const settled = writing.then((result) => {
      this.inFlight.delete(settled);
      // A full batch leaves before the callers of the last one are told: what they do then need not delay it.
      if (this.isFull && !isOutage(result)) this.start();
      this.settle(batch, result);
      this.schedule();
    });
    this.inFlight.add(settled);
  }

  private takeBatch(): Waiting[] {
    const count = this.batchLength(this.waiting);
    const batch = count === this.waiting.length ? this.takeAll() : this.waiting.splice(0, count);
    for (const { events, units } of batch) {
      this.waitingEvents -= events.length;
      this.waitingUnits -= units;
    }
    return batch;
  }

  /** How many appends, at least one, a statement takes. */
  private batchLength(appends: readonly Sized[]): number {
    const { batchEventsMax, batchUnitsMax } = this.limits;
    let events = 0;
    let units = 0;
    const tooMany = appends.findIndex((append) => (events += append.events.length) > batchEventsMax || (units += append.units) > batchUnitsMax);
    return tooMany < 0 ? appends.length : Math.max(tooMany, 1);
  }

  private takeAll(): Waiting[] {
    const all = this.waiting;
    this.waiting = [];
    return all;
  }

  private settle(batch: readonly Waiting[], { settlements, lastPosition }: BatchResult): void {
    const committed = batch.flatMap(({ events }, index) => inLog(events, settlements[index]));
    if (committed.length > 0 && lastPosition !== undefined) this.onCommit(commitOf(lastPosition, committed));
    batch.forEach((waiting, index) => {
      const settlement = settlements[index];
      if (settlement === undefined) waiting.reject(new LogUnavailable('broken', 'the log answered fewer appends than were sent'));
      else if (settlement instanceof Error) waiting.reject(settlement);
      else waiting.resolve(settlement);
    });
    const outage = settlements.find((settlement) => settlement instanceof LogUnavailable);
    if (outage) this.rejectWaiting(outage);
  }

  /** Whoever waited through the outage has waited long enough; the next append tries anew. */
  private rejectWaiting(outage: LogUnavailable): void {
    this.waitingEvents = 0;
    this.waitingUnits = 0;
    for (const { reject } of this.takeAll()) reject(outage);
  }
}

const isOutage = ({ settlements }: BatchResult): boolean => settlements.some((settlement) => settlement instanceof LogUnavailable);

const sized = (events: readonly NewEvent[]): Sized => {
  let units = 0;
  for (const { data, metadata } of events) units += data.length + metadata.length;
  return { events, units };
};

/** What of an append is in the log now. */
const inLog = (events: readonly NewEvent[], settlement: Settlement | undefined): Appended[] => {
  if (settlement === undefined || settlement instanceof Error || settlement.status === 'conflict') return [];
  return [settlement.status === 'ok' ? { events, lastPosition: settlement.lastPosition } : { events }];
};
