import type { NewEvent } from '../contracts';
import type { BatchResult, Settlement } from './append-batch-writer';
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

interface Waiting {
  readonly events: readonly NewEvent[];
  readonly units: number;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}

type WriteBatch = (appends: readonly (readonly NewEvent[])[]) => Promise<BatchResult>;

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
    private readonly write: WriteBatch,
    private readonly onCommit: (commit: Commit) => void,
    private readonly limits: GroupCommitLimits = DEFAULT_GROUP_COMMIT_LIMITS,
  ) {}

  append(events: readonly NewEvent[]): Promise<AppendOutcome> {
    const units = payloadUnits(events);
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
      const writing = this.write(batch.map(({ events }) => events)).then((result) => {
        this.inFlight.delete(writing);
        // A full batch leaves before the callers of the last one are told: what they do then need not delay it.
        if (this.isFull && !isOutage(result)) this.start();
        this.settle(batch, result);
        this.schedule();
      });
      this.inFlight.add(writing);
    }
  }

  private takeBatch(): Waiting[] {
    const { batchEventsMax, batchUnitsMax } = this.limits;
    let count = 0;
    let events = 0;
    let units = 0;
    for (const next of this.waiting) {
      if (count > 0 && (events + next.events.length > batchEventsMax || units + next.units > batchUnitsMax)) break;
      count++;
      events += next.events.length;
      units += next.units;
    }
    this.waitingEvents -= events;
    this.waitingUnits -= units;
    if (count === this.waiting.length) return this.takeAll();
    return this.waiting.splice(0, count);
  }

  private takeAll(): Waiting[] {
    const all = this.waiting;
    this.waiting = [];
    return all;
  }

  private settle(batch: readonly Waiting[], { settlements, lastPosition }: BatchResult): void {
    const isCommitted = settlements.some((settlement) => !(settlement instanceof Error) && settlement.status !== 'conflict');
    if (isCommitted && lastPosition !== undefined) this.onCommit({ lastPosition, decide: needsDecision(batch, settlements) });
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

const payloadUnits = (events: readonly NewEvent[]): number => {
  let units = 0;
  for (const { data, metadata } of events) units += data.length + metadata.length;
  return units;
};

const needsDecision = (batch: readonly Waiting[], settlements: readonly Settlement[]): boolean =>
  batch.some(({ events }, index) => {
    const settlement = settlements[index];
    return !(settlement instanceof Error) && settlement?.status !== 'conflict' && events.some(({ decide }) => decide);
  });
