import { LogUnavailable, type PlacedEvent, type RecordedEvent, type RunId } from '@foldwork/events';
import { lookAtEverything } from '@foldwork/domain';
import type { AgendaWriter } from './agenda-writer';
import type { DueQueue } from './due-queue';
import type { RunCache } from './run-cache';
import type { RunDecisions } from './run-decisions';
import { awaitedBy, forgetClaimed, nextResend, type RunEntry } from './run-entry';

const READ_RUNS_MAX = 200;
/** A run that a bug keeps from being decided is tried again so often: the fault may have been outside it. */
const SET_ASIDE_MS = 60_000;

export interface PlannerParts {
  readonly cache: RunCache;
  readonly agenda: AgendaWriter;
  readonly due: DueQueue;
  readonly decisions: RunDecisions;
  readonly now: () => number;
  /** Something follows from it that is ours to see to, whether or not whoever appended it says so. */
  readonly asks: (event: RecordedEvent) => boolean;
  /** A run that cannot be decided because of a bug or a missing definition: set aside, the others go on. */
  readonly onSetAside: (runId: RunId, error: unknown) => void;
}

export interface Look {
  /** Commands may have been lost: what is still wanted is handed out again. */
  readonly everything?: boolean;
  /** The moment to decide for, now or a little later; nothing happens before it. */
  readonly at?: number;
}

/**
 * Brings the log's events to the runs they belong to, and has those decided that they concern. Invariants:
 *  1. a batch is done with only when everything it asked for is appended, so a saved cursor never skips work;
 *  2. a run in memory has every event of the log up to the last batch: what came while it was being read is folded after;
 *  3. a run that cannot be folded or decided never keeps the others from it.
 */
export class Planner {
  constructor(private readonly parts: PlannerParts) {}

  /** Events in log order, of this planner's shards. Rejects with `LogUnavailable`; the same batch may then come again. */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    const { cache, asks } = this.parts;
    const due = new Set<RunId>();
    const held = new Map<RunId, RunEntry>();
    const unread: RecordedEvent[] = [];
    for (const event of events) {
      const { runId } = event;
      const isAsked = asks(event);
      if (isAsked) due.add(runId);
      const entry = held.get(runId) ?? (cache.isLoading(runId) ? undefined : cache.get(runId));
      if (entry !== undefined) this.fold(held, entry, event);
      else if (event.type === 'RunRequested' && !cache.isLoading(runId)) await this.open(held, event);
      else if (isAsked || cache.isLoading(runId)) unread.push(event);
    }
    await this.foldAfterReading(held, unread);
    await this.decideAll([...due].flatMap((runId) => held.get(runId) ?? []));
  }

  /**
   * Events that were appended a moment ago, before the log is read that far: runs that begin are decided at once. Resolves
   * like `take`; `undefined`: this has to be read in its order.
   */
  hear(events: readonly PlacedEvent[]): Promise<void> | undefined {
    if (events.length === 0) return undefined;
    const entries: RunEntry[] = [];
    for (const event of events) {
      const begun = this.beginAhead(event);
      if (begun !== undefined) entries.push(begun);
      else if (!this.endAhead(event)) return undefined;
    }
    return this.decideAll(entries);
  }

  /** Looks at runs because of the time, or because something around them changed. */
  async look(runIds: readonly RunId[], how: Look = {}): Promise<void> {
    const inMemory = runIds.flatMap((runId) => this.parts.cache.get(runId) ?? []);
    const elsewhere = runIds.filter((runId) => this.parts.cache.get(runId) === undefined);
    await this.lookAt(inMemory, how);
    for (let start = 0; start < elsewhere.length; start += READ_RUNS_MAX) {
      const wanted = elsewhere.slice(start, start + READ_RUNS_MAX);
      const entries = await this.read(wanted);
      await this.lookAt([...entries.values()], how);
    }
  }

  /** Runs in memory with commands out or attempts at executors. */
  inFlight(): RunId[] {
    return this.readable().filter((entry) => entry.sent.size > 0 || entry.run.executing.size > 0).map(({ runId }) => runId);
  }

  /** Runs in memory with an attempt at an executor that is lost. */
  lost(isLost: (executor: string) => boolean): RunId[] {
    const holds = ({ run }: RunEntry): boolean => [...run.executing].some((path) => isLost(run.tasks.get(path)?.executor ?? ''));
    return this.readable().filter(holds).map(({ runId }) => runId);
  }

  /** Runs in memory whose commands nobody has claimed as far as we know, those that wait longest first. */
  unclaimed(limit: number): RunId[] {
    const entries = this.readable();
    entries.forEach(forgetClaimed);
    const since = (entry: RunEntry): number => nextResend(entry) ?? Infinity;
    const waiting = entries.filter(({ sent }) => sent.size > 0).sort((a, b) => since(a) - since(b));
    return waiting.slice(0, limit).map(({ runId }) => runId);
  }

  /** Runs that are being decided and wait for one of the keys: the agenda hears of it when the decision is over. */
  deciding(keys: readonly string[]): RunId[] {
    const entries = this.readable((entry) => entry.deciding !== undefined);
    return entries.filter(({ run }) => awaitedBy(run).some((key) => keys.includes(key))).map(({ runId }) => runId);
  }

  /** Forgets the runs that belong to another planner now. */
  release(isOurs: (runId: RunId) => boolean): void {
    const { cache, due, agenda } = this.parts;
    agenda.release(isOurs);
    for (const { runId } of [...cache.values()]) {
      if (isOurs(runId)) continue;
      cache.drop(runId);
      due.remove(runId);
    }
  }

  /** Runs in memory; one that cannot be folded is set aside and must not hide the others. */
  private readable(isMeant: (entry: RunEntry) => boolean = () => true): RunEntry[] {
    return [...this.parts.cache.values()].filter((entry) => {
      try {
        return isMeant(entry) && entry.run !== undefined;
      } catch (error) {
        this.setAside(entry.runId, error);
        return false;
      }
    });
  }

  private fold(held: Map<RunId, RunEntry>, entry: RunEntry, event: RecordedEvent): void {
    try {
      entry.take(event);
      held.set(event.runId, entry);
    } catch (error) {
      held.delete(event.runId);
      this.setAside(event.runId, error);
    }
  }

  /** A run that waits for its place in a lane begins in the order of the log. */
  private beginAhead(event: PlacedEvent): RunEntry | undefined {
    const { cache, agenda } = this.parts;
    if (event.type !== 'RunRequested' || cache.isLoading(event.runId) || cache.get(event.runId) !== undefined) return undefined;
    const entry = cache.openAtOnce(event);
    if (entry === undefined) return undefined;
    agenda.opened(event.runId, event.position);
    if (!entry.run.admitted) return undefined;
    entry.isNew = true;
    return entry;
  }

  /** The rest can wait until the log is read: it still has the run's events to come. */
  private endAhead(event: PlacedEvent): boolean {
    const { cache, agenda, due } = this.parts;
    if (cache.get(event.runId)?.isEnd(event) !== true) return false;
    agenda.remove(event.runId);
    due.remove(event.runId);
    return true;
  }

  private async open(held: Map<RunId, RunEntry>, event: RecordedEvent): Promise<void> {
    const { cache, agenda } = this.parts;
    await this.guarded(event.runId, async () => {
      const entry = await cache.open(event);
      if (entry !== undefined) held.set(event.runId, entry);
    });
    agenda.opened(event.runId, event.position);
  }

  /** A run's reading may have begun before these events were there. */
  private async foldAfterReading(held: Map<RunId, RunEntry>, events: readonly RecordedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const entries = await this.read([...new Set(events.map(({ runId }) => runId))]);
    for (const event of events) {
      const entry = entries.get(event.runId);
      if (entry !== undefined) this.fold(held, entry, event);
    }
  }

  /** Runs that are not in the log have no business in the agenda. */
  private async read(runIds: readonly RunId[]): Promise<Map<RunId, RunEntry>> {
    const { cache, agenda } = this.parts;
    try {
      const entries = await cache.load(runIds);
      for (const runId of runIds) if (!entries.has(runId)) agenda.remove(runId);
      return entries;
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      return this.readOneByOne(runIds);
    }
  }

  /** One run spoils the query for all of them; one by one, only that one is set aside. */
  private async readOneByOne(runIds: readonly RunId[]): Promise<Map<RunId, RunEntry>> {
    const entries = new Map<RunId, RunEntry>();
    for (const runId of runIds) {
      await this.guarded(runId, async () => {
        for (const [found, entry] of await this.parts.cache.load([runId])) entries.set(found, entry);
      });
    }
    return entries;
  }

  private async lookAt(entries: readonly RunEntry[], { everything, at }: Look): Promise<void> {
    if (everything === true) entries.forEach(reconsider);
    await this.decideAll(entries, at);
  }

  private async decideAll(entries: readonly RunEntry[], at?: number): Promise<void> {
    await Promise.all(entries.map((entry) => this.guarded(entry.runId, () => this.parts.decisions.decide(entry, at))));
  }

  private async guarded(runId: RunId, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.cache.drop(runId);
      if (error instanceof LogUnavailable) throw error;
      this.setAside(runId, error);
    }
  }

  private setAside(runId: RunId, error: unknown): void {
    const { cache, agenda, now, onSetAside } = this.parts;
    cache.drop(runId);
    agenda.set(runId, { inFlight: true, inLane: true, wakeAt: now() + SET_ASIDE_MS }); // it may be in a lane
    onSetAside(runId, error);
  }
}

/** Commands may have been lost, child runs may have ended: the next decision hands out what is still wanted again. */
const reconsider = (entry: RunEntry): void => {
  entry.sent.clear();
  entry.childRuns.clear();
  lookAtEverything(entry.run);
};
