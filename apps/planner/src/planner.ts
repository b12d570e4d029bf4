import { LogUnavailable, type EventLog, type RecordedEvent, type RunId } from '@foldwork/events';
import { decideRun, foldEvent, isOpenRun, lookAtEverything, type DecideContext, type RunDecision } from '@foldwork/domain';
import type { AgendaWriter } from './agenda-writer';
import type { Dispatcher } from './dispatcher';
import type { DueQueue } from './due-queue';
import type { RunCache } from './run-cache';
import { forgetClaimed, nextResend, type RunEntry } from './run-entry';

/** How far ahead appointments are kept in memory; those further away are in the agenda only. */
export const LOOK_AHEAD_MS = 2_000;
const CONFLICTS_MAX = 10;
const CONFLICT_PAUSE_MS = 50;
const READ_RUNS_MAX = 200;
/** A run that a bug keeps from being decided is tried again so often: the fault may have been outside it. */
const SET_ASIDE_MS = 60_000;

export interface PlannerParts {
  readonly log: EventLog;
  readonly cache: RunCache;
  readonly agenda: AgendaWriter;
  readonly due: DueQueue;
  readonly dispatcher: Dispatcher;
  readonly context: (now: number) => DecideContext;
  readonly now: () => number;
  /** A run that cannot be decided because of a bug or a missing definition: set aside, the others go on. */
  readonly onSetAside: (runId: RunId, error: unknown) => void;
}

/**
 * Folds runs, decides, appends, sends commands. Invariants:
 *  1. a batch is done with only when everything it asked for is appended, so a saved cursor never skips work;
 *  2. decisions of one run follow each other; a state whose append was refused is thrown away and folded anew;
 *  3. commands are sent only for what the log has.
 */
export class Planner {
  constructor(private readonly parts: PlannerParts) {}

  /** Events in log order, of this planner's shards. Rejects with `LogUnavailable`; the same batch may then come again. */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    const { cache } = this.parts;
    const due = new Set<RunId>();
    const held = new Map<RunId, RunEntry>();
    const unread: RecordedEvent[] = [];
    for (const event of events) {
      const { runId } = event;
      if (event.decide) due.add(runId);
      const entry = held.get(runId) ?? (cache.isLoading(runId) ? undefined : cache.get(runId));
      if (entry !== undefined) this.fold(held, entry, event);
      else if (event.type === 'RunRequested' && !cache.isLoading(runId)) await this.open(held, event);
      else if (event.decide || cache.isLoading(runId)) unread.push(event);
    }
    await this.foldAfterReading(held, unread);
    await this.decideAll([...due].flatMap((runId) => held.get(runId) ?? []));
  }

  /** Looks at runs because of the time, or because something around them changed. */
  async look(runIds: readonly RunId[], everything = false): Promise<void> {
    const inMemory = runIds.flatMap((runId) => this.parts.cache.get(runId) ?? []);
    const elsewhere = runIds.filter((runId) => this.parts.cache.get(runId) === undefined);
    await this.lookAt(inMemory, everything);
    for (let start = 0; start < elsewhere.length; start += READ_RUNS_MAX) {
      const wanted = elsewhere.slice(start, start + READ_RUNS_MAX);
      const entries = await this.read(wanted);
      await this.lookAt([...entries.values()], everything);
    }
  }

  /** Runs in memory with commands out or attempts at executors. */
  inFlight(): RunId[] {
    return [...this.parts.cache.values()].filter((entry) => entry.sent.size > 0 || entry.run.executing.size > 0).map(({ run }) => run.runId);
  }

  /** Runs in memory with an attempt at an executor that is lost. */
  lost(isLost: (executor: string) => boolean): RunId[] {
    const holds = ({ run }: RunEntry): boolean => run.executing.values().some((path) => isLost(run.tasks.get(path)?.executor ?? ''));
    return [...this.parts.cache.values()].filter(holds).map(({ run }) => run.runId);
  }

  /** Forgets the runs that belong to another planner now. */
  release(isOurs: (runId: RunId) => boolean): void {
    const { cache, due } = this.parts;
    for (const { run } of [...cache.values()]) {
      if (isOurs(run.runId)) continue;
      cache.drop(run.runId);
      due.remove(run.runId);
    }
  }

  private fold(held: Map<RunId, RunEntry>, entry: RunEntry, event: RecordedEvent): void {
    try {
      foldEvent(entry.run, event);
      held.set(event.runId, entry);
    } catch (error) {
      held.delete(event.runId);
      this.setAside(event.runId, error);
    }
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

  private async lookAt(entries: readonly RunEntry[], everything: boolean): Promise<void> {
    if (everything) for (const entry of entries) entry.sent.clear(); // commands may have been lost
    if (everything) for (const { run } of entries) lookAtEverything(run);
    await this.decideAll(entries);
  }

  private async decideAll(entries: readonly RunEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.guarded(entry.run.runId, () => this.decide(entry))));
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
    agenda.set(runId, { inFlight: true, wakeAt: now() + SET_ASIDE_MS });
    onSetAside(runId, error);
  }

  /** Resolves when a decision that knows everything folded so far is in the log. */
  private decide(entry: RunEntry): Promise<void> {
    entry.again = true;
    return (entry.deciding ??= this.decideWhileAsked(entry));
  }

  private async decideWhileAsked(first: RunEntry): Promise<void> {
    let entry = first;
    let conflicts = 0;
    try {
      while (entry.again) {
        entry.again = false;
        if (await this.decideOnce(entry)) continue;
        conflicts += 1;
        if (conflicts === CONFLICTS_MAX) return this.parts.due.add(entry.run.runId, this.parts.now() + CONFLICT_PAUSE_MS);
        const fresh = await this.refold(entry);
        if (fresh === undefined) return;
        fresh.deciding = first.deciding;
        fresh.again = true;
        entry = fresh;
      }
    } finally {
      first.deciding = undefined;
      entry.deciding = undefined;
    }
  }

  private async refold({ run }: RunEntry): Promise<RunEntry | undefined> {
    const { cache } = this.parts;
    cache.drop(run.runId);
    return (await cache.load([run.runId])).get(run.runId);
  }

  /** False: somebody else wrote to the run meanwhile, and the state is worth nothing any more. */
  private async decideOnce(entry: RunEntry): Promise<boolean> {
    const { log, now, context } = this.parts;
    const at = now();
    if ((nextResend(entry) ?? Infinity) <= at) lookAtEverything(entry.run);
    const decision = decideRun(entry.run, entry.definition, context(at));
    const outcome = decision.events.length === 0 ? { status: 'ok' } : await log.append(decision.events);
    if (outcome.status === 'conflict') return false;
    this.follow(entry, decision);
    return true;
  }

  /** What follows from a decision that is in the log: commands, and the next appointment. */
  private follow(entry: RunEntry, { events, segments, wakeAt }: RunDecision): void {
    const { agenda, due, dispatcher, cache } = this.parts;
    const { run } = entry;
    forgetClaimed(entry);
    dispatcher.send(entry, segments);
    dispatcher.cancel(entry, events);
    if (!isOpenRun(run) && run.retryAt === undefined) {
      agenda.remove(run.runId);
      due.remove(run.runId);
      cache.drop(run.runId);
      return;
    }
    const next = earliest(wakeAt, nextResend(entry));
    agenda.set(run.runId, { inFlight: entry.sent.size > 0 || run.executing.size > 0, ...(next !== undefined && { wakeAt: next }) });
    if (next !== undefined && next <= this.parts.now() + LOOK_AHEAD_MS) due.add(run.runId, next);
  }
}

const earliest = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
};
