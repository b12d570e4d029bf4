import type { EventLog, RunId } from '@foldwork/events';
import { childRunView, decideRun, isOpenRun, lookAtEverything, lookAtTask, type DecideContext, type RunDecision, type RunState } from '@foldwork/domain';
import type { AgendaWriter, Appointment } from './agenda-writer';
import type { Dispatcher } from './dispatcher';
import type { DueQueue } from './due-queue';
import { HeldAppends } from './held-appends';
import { CHILD_CHECK_MS, type Interactions } from './interactions';
import type { PlannedTally } from './planned-tally';
import { PlansAhead } from './plans-ahead';
import type { RunCache } from './run-cache';
import { awaitedBy, forgetClaimed, nextResend, type RunEntry } from './run-entry';

/** How far ahead appointments are kept in memory; those further away are in the agenda only. */
export const LOOK_AHEAD_MS = 2_000;
const CONFLICTS_MAX = 10;
const CONFLICT_PAUSE_MS = 50;

export interface RunDecisionsParts {
  readonly log: EventLog;
  readonly cache: RunCache;
  readonly agenda: AgendaWriter;
  readonly due: DueQueue;
  readonly planned: PlannedTally;
  readonly dispatcher: Dispatcher;
  readonly interactions: Interactions;
  readonly owns: (runId: RunId) => boolean;
  readonly context: (now: number) => DecideContext;
  readonly now: () => number;
}

/**
 * Decides runs and carries out what follows. Invariants:
 *  1. decisions of one run follow each other; a state whose append was refused, or failed, is thrown away and folded anew;
 *  2. what is decided for a moment ahead is held back until then, and thrown away when the run moves meanwhile;
 *  3. commands, signals and child runs are sent only for what the log has.
 */
export class RunDecisions {
  private readonly held: HeldAppends;
  private readonly ahead = new PlansAhead();

  constructor(private readonly parts: RunDecisionsParts) {
    this.held = new HeldAppends(parts.log, parts.now);
  }

  /** Resolves when a decision that knows everything folded so far is in the log, and what it asked for is sent. */
  decide(entry: RunEntry, at = 0): Promise<void> {
    if (entry.deciding === undefined && entry.isDone) return Promise.resolve(this.forget(entry.runId));
    entry.again = true;
    entry.dueAt = Math.max(entry.dueAt, at);
    return (entry.deciding ??= this.decideWhileAsked(entry));
  }

  private async decideWhileAsked(first: RunEntry): Promise<void> {
    let entry = first;
    let conflicts = 0;
    try {
      while (entry.again) {
        this.parts.cache.hold(entry);
        entry.again = false;
        if (await this.decideOnce(entry)) continue;
        conflicts += 1;
        if (conflicts === CONFLICTS_MAX) return this.putOff(entry.runId);
        const fresh = await this.refold(entry);
        if (fresh === undefined) return;
        fresh.deciding = first.deciding;
        fresh.again = true;
        entry = fresh;
      }
    } catch (error) {
      this.parts.cache.drop(entry.runId);
      throw error;
    } finally {
      this.parts.cache.letGo(entry);
      first.deciding = undefined;
      entry.deciding = undefined;
    }
  }

  private putOff(runId: RunId): void {
    const { agenda, due, cache, now } = this.parts;
    const wakeAt = now() + CONFLICT_PAUSE_MS;
    cache.drop(runId);
    agenda.set(runId, { inFlight: true, inLane: true, wakeAt }); // it may be in a lane
    due.add(runId, wakeAt);
  }

  private async refold({ runId }: RunEntry): Promise<RunEntry | undefined> {
    const { cache } = this.parts;
    cache.drop(runId);
    const fresh = (await cache.load([runId])).get(runId);
    if (fresh === undefined) this.forget(runId); // somebody spoke of a run that this log does not have
    return fresh;
  }

  /** False: somebody else wrote to the run meanwhile, and the state is worth nothing any more. */
  private async decideOnce(entry: RunEntry): Promise<boolean> {
    const { interactions } = this.parts;
    if (entry.run.childRuns.size + entry.childRuns.size > 0) await interactions.prepare(entry);
    const decision = await this.append(entry);
    if (decision === undefined) return false;
    if (await interactions.carryOut(entry, decision)) entry.again = true;
    else await this.keepAppointment(entry, decision.wakeAt);
    return true;
  }

  /** Decides and appends; `undefined` after a conflict. Commands go out as soon as the append is through. */
  private async append(entry: RunEntry): Promise<RunDecision | undefined> {
    const { now, context, dispatcher, planned } = this.parts;
    const at = Math.max(now(), entry.dueAt);
    entry.dueAt = 0;
    if (this.ahead.isOvertaken(entry, at)) return undefined;
    this.repeatLost(entry, at);
    const decision = decideRun(entry.run, entry.definition, {
      ...context(at),
      childRun: (runId) => entry.childRuns.get(runId),
      dispatched: (signalId) => entry.dispatched.get(signalId),
    });
    if (entry.isAhead && decision.events.length + decision.segments.length > 0) return undefined;
    const plan = this.leaveToClaim(entry, decision);
    if (plan === undefined && !(await this.isAppended(entry, decision, at))) return undefined;
    planned.add(decision.planned);
    forgetClaimed(entry);
    dispatcher.send(entry, decision, plan);
    dispatcher.cancel(entry, decision.events);
    return decision;
  }

  /** False after a conflict, or when something came while the decision was held: it may change everything. */
  private async isAppended(entry: RunEntry, { events, segments }: RunDecision, at: number): Promise<boolean> {
    const { log, now } = this.parts;
    if (at > now() && events.length + segments.length > 0) return this.isHeldUntil(at, entry, events);
    return events.length === 0 || (await log.append(events)).status !== 'conflict';
  }

  private async isHeldUntil(at: number, entry: RunEntry, events: RunDecision['events']): Promise<boolean> {
    const news = entry.listen();
    const outcome = await Promise.race([this.held.append(at, events, news.hasCome), news.comes]);
    return outcome !== undefined && outcome.status !== 'conflict';
  }

  /** A run that begins with a task for an executor begins one commit earlier when that one appends the plan with its claim. */
  private leaveToClaim(entry: RunEntry, { events, segments, wakeAt }: RunDecision): RunDecision['events'] | undefined {
    const [plan, ...more] = events;
    const isPlan = plan?.type === 'RunPlanned' && more.length === 0 && segments.length === 1 && wakeAt === undefined;
    return isPlan && entry.isNew && this.ahead.take(entry, plan, this.parts.now()) ? events : undefined;
  }

  /** A command that nobody claimed in time is handed out again. */
  private repeatLost(entry: RunEntry, at: number): void {
    if (entry.sent.size === 0) return;
    forgetClaimed(entry);
    if ((nextResend(entry) ?? Infinity) <= at) lookAtEverything(entry.run);
  }

  private async keepAppointment(entry: RunEntry, wakeAt: number | undefined): Promise<void> {
    const { agenda, due, cache, owns, now } = this.parts;
    const { run } = entry;
    const isOver = !isOpenRun(run) && run.retryAt === undefined && run.childRuns.size === 0;
    if (isOver) this.forget(run.runId);
    else if (!owns(run.runId)) cache.drop(run.runId);
    if (!isOpenRun(run) && run.request.parent !== undefined) await this.tellParent(run, run.request.parent);
    if (isOver || !owns(run.runId)) return;
    const next = earliest(wakeAt, entry.aheadUntil, nextResend(entry), run.childRuns.size > 0 ? now() + CHILD_CHECK_MS : undefined);
    agenda.set(run.runId, appointmentOf(entry, next));
    if (next !== undefined && next <= now() + LOOK_AHEAD_MS) due.add(run.runId, next);
  }

  private forget(runId: RunId): void {
    this.parts.agenda.remove(runId);
    this.parts.due.remove(runId);
    this.parts.cache.drop(runId);
  }

  /** Whichever planner sees the end tells it; the version check makes a second telling harmless. */
  private async tellParent(child: RunState, { runId, task }: NonNullable<RunState['request']['parent']>): Promise<void> {
    const parent = (await this.parts.cache.load([runId])).get(runId);
    if (parent === undefined) return;
    parent.childRuns.set(child.runId, childRunView(child));
    lookAtTask(parent.run, task);
    await this.decide(parent);
  }
}

const appointmentOf = ({ run, sent }: RunEntry, wakeAt: number | undefined): Appointment => ({
  inFlight: sent.size > 0 || run.executing.size > 0 || run.childRuns.size > 0,
  ...(wakeAt !== undefined && { wakeAt }),
  ...(run.waiting.size > 0 && { awaits: awaitedBy(run) }),
  ...(run.request.lane !== undefined && { inLane: true }),
});

const earliest = (...moments: (number | undefined)[]): number | undefined => {
  const known = moments.filter((moment) => moment !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};
