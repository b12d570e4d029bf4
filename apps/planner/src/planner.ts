import {
  LogUnavailable, type EventLog, type RecordedEvent, type RunId,
} from '@foldwork/events';
import { decideRun, foldEvent, isOpenRun, lookAtEverything, type DecideContext, type RunDecision } from '@foldwork/domain';
import type { AgendaWriter } from './agenda-writer';
import type { Dispatcher } from './dispatcher';
import type { DueQueue } from './due-queue';
import type { RunCache } from './run-cache';
import { forgetClaimed, nextResend, type RunEntry } from './run-entry';

/** How far ahead appointments are kept in memory; those further away are in the agenda only. */
export const LOOK_AHEAD_MS = 2_000;
const CONFLICTS_MAX = 10;

export interface PlannerParts {
  readonly log: EventLog;
  readonly cache: RunCache;
  readonly agenda: AgendaWriter;
  readonly due: DueQueue;
  readonly dispatcher: Dispatcher;
  readonly context: (now: number) => DecideContext;
  readonly now: () => number;
  /** A run that cannot be decided because of a bug or a missing definition: set aside until its next event. */
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
    const missing = new Set<RunId>();
    for (const event of events) {
      const entry = cache.get(event.runId);
      if (entry !== undefined) foldEvent(entry.run, event);
      else if (event.type === 'RunRequested') await this.openRun(event);
      else if (event.decide) missing.add(event.runId);
      if (event.decide) due.add(event.runId);
    }
    if (missing.size > 0) await this.loadAll([...missing]);
    await this.decideAll([...due]);
  }

  /** Looks at runs because of the time, or because something around them changed. */
  async look(runIds: readonly RunId[], everything = false): Promise<void> {
    await this.loadAll(runIds);
    if (everything) for (const runId of runIds) this.reconsider(runId);
    await this.decideAll(runIds);
  }

  /** Runs in memory with commands out or attempts at executors. */
  inFlight(): RunId[] {
    return [...this.parts.cache.values()].filter((entry) => entry.sent.size > 0 || entry.run.executing.size > 0).map(({ run }) => run.runId);
  }

  /** Runs in memory with an attempt at an executor that is lost. */
  lost(isLost: (executor: string) => boolean): RunId[] {
    const holds = ({ run }: RunEntry): boolean => [...run.executing].some((path) => isLost(run.tasks.get(path)?.executor ?? ''));
    return [...this.parts.cache.values()].filter(holds).map(({ run }) => run.runId);
  }

  /** Commands may have been lost: the next decision sends what is still wanted again. */
  private reconsider(runId: RunId): void {
    const entry = this.parts.cache.get(runId);
    if (entry === undefined) return;
    entry.sent.clear();
    lookAtEverything(entry.run);
  }

  private async openRun(event: RecordedEvent): Promise<void> {
    await this.aside(event.runId, async () => void (await this.parts.cache.open(event)));
  }

  private async loadAll(runIds: readonly RunId[]): Promise<void> {
    try {
      await this.parts.cache.load(runIds);
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      // One run spoils the query for all of them; one by one, only that one is set aside.
      for (const runId of runIds) await this.aside(runId, async () => void (await this.parts.cache.load([runId])));
    }
  }

  private async decideAll(runIds: readonly RunId[]): Promise<void> {
    await Promise.all(runIds.map((runId) => this.aside(runId, () => this.decide(runId))));
  }

  private async aside(runId: RunId, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.cache.drop(runId);
      if (error instanceof LogUnavailable) throw error;
      this.parts.onSetAside(runId, error);
    }
  }

  private async decide(runId: RunId): Promise<void> {
    const entry = this.parts.cache.get(runId);
    if (entry === undefined) return;
    if (entry.busy) {
      entry.again = true;
      return;
    }
    entry.busy = true;
    try {
      await this.decideUntilAppended(entry);
    } finally {
      entry.busy = false;
    }
    if (entry.again) {
      entry.again = false;
      await this.decide(runId);
    }
  }

  private async decideUntilAppended(first: RunEntry): Promise<void> {
    const { log, cache, now, context } = this.parts;
    const { runId } = first.run;
    let entry = first;
    for (let conflicts = 0; conflicts < CONFLICTS_MAX; conflicts += 1) {
      const decision = decideRun(entry.run, entry.definition, context(now()));
      const outcome = decision.events.length === 0 ? { status: 'ok' } : await log.append(decision.events);
      if (outcome.status !== 'conflict') return this.follow(entry, decision);
      cache.drop(runId);
      const [fresh] = await cache.load([runId]);
      if (fresh === undefined) return;
      entry = fresh;
    }
    this.parts.due.add(runId, now() + CONFLICT_PAUSE_MS);
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

const CONFLICT_PAUSE_MS = 50;

const earliest = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
};
