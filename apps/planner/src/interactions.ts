import type { EventLog, EventMetadata, RunId, TaskPath } from '@foldwork/events';
import {
  childRunView, decideOperatorCommand, foldRun, lineageFrom, lookAtTask, openChildRuns, type ChildRunRequest, type ChildRunView, type RunDecision,
} from '@foldwork/domain';
import type { RunEntry } from './run-entry';
import type { RunStarter } from './run-starter';
import type { SignalDelivery } from './signal-delivery';

/** A run that waits for child runs is told when they end; if that is lost, it looks by itself. */
export const CHILD_CHECK_MS = 10_000;
/** So long it believes what it knows of them. */
const CHILD_KNOWN_MS = 5_000;

export interface InteractionsParts {
  readonly log: EventLog;
  readonly signals: SignalDelivery;
  readonly starter: RunStarter;
  readonly metadata: EventMetadata;
  readonly now: () => number;
}

/** What a run has to do with other runs: child runs and signals. All of it can be repeated without harm. */
export class Interactions {
  constructor(private readonly parts: InteractionsParts) {}

  /** What the next decision wants to know of child runs. */
  async prepare(entry: RunEntry): Promise<void> {
    const { run, childRuns } = entry;
    for (const runId of childRuns.keys()) if (!run.childRuns.has(runId)) childRuns.delete(runId); // somebody else may have heard how it ended
    const now = this.parts.now();
    entry.childRunsUntil ??= now + CHILD_KNOWN_MS;
    if (now >= entry.childRunsUntil) {
      childRuns.clear();
      entry.childRunsUntil = now + CHILD_KNOWN_MS;
    }
    for (const [runId, view] of await this.viewsOf(openChildRuns(run).filter((runId) => !childRuns.has(runId)))) childRuns.set(runId, view);
  }

  private async viewsOf(runIds: readonly RunId[]): Promise<Map<RunId, ChildRunView>> {
    const views = new Map<RunId, ChildRunView>();
    if (runIds.length === 0) return views;
    const byRun = Map.groupBy(await this.parts.log.readRuns(runIds), ({ runId }) => runId);
    for (const [runId, events] of byRun) {
      const child = foldRun(events);
      if (child !== undefined) views.set(runId, childRunView(child));
    }
    return views;
  }

  /**
   * Carries out what a decision wants of other runs; true: decide again, with what came of it. A canceled run says by
   * itself when it has ended, and it can only end when this decision is over.
   */
  async carryOut(entry: RunEntry, { signals, childRuns, cancelRuns }: RunDecision): Promise<boolean> {
    // what failed is in the log by now; when its task is tried again, it is sent again
    for (const [signalId, dispatch] of entry.dispatched) if ('error' in dispatch) entry.dispatched.delete(signalId);
    for (const outgoing of signals) {
      entry.dispatched.set(outgoing.signalId, await this.parts.signals.send(entry.run, outgoing));
      lookAtTask(entry.run, outgoing.task);
    }
    for (const request of childRuns) await this.startChild(entry, request);
    for (const runId of cancelRuns) await this.cancel(entry, runId);
    return signals.length + childRuns.length > 0;
  }

  private async startChild(entry: RunEntry, request: ChildRunRequest): Promise<void> {
    const { runId, workflow, input, at, task, attempt } = request;
    const { namespace, runId: parent, request: { orchestrators } } = entry.run;
    // one that is tried again is there; who asked for it the first time may have been another planner
    const known = entry.childRuns.get(runId) ?? (attempt > 1 ? (await this.viewsOf([runId])).get(runId) : undefined);
    if (known?.status === 'failed' && known.attempt < attempt) await this.operate(runId, { kind: 'retry', reason: 'the task that waits for this run is tried again' });
    else if (known !== undefined) return this.answer(entry, runId, task, known);
    else {
      const outcome = await this.parts.starter.start({ namespace, workflow, runId, input, at, lineage: lineageFrom(entry.run, task), origin: { parent: { runId: parent, task }, ...(orchestrators && { orchestrators }) }, retry: { delayMs: 0, maximum: 0 } });
      if (outcome !== 'started') return this.answer(entry, runId, task, { status: 'refused', attempt, error: outcome });
    }
    this.answer(entry, runId, task, { status: 'open', attempt });
  }

  private answer(entry: RunEntry, runId: RunId, task: TaskPath, view: ChildRunView): void {
    entry.childRuns.set(runId, view);
    lookAtTask(entry.run, task);
  }

  private async cancel(entry: RunEntry, runId: RunId): Promise<void> {
    await this.operate(runId, { kind: 'cancel', reason: 'the task that waited for this run was taken away' });
    entry.childRuns.delete(runId); // asked for anew
  }

  /** A refusal means that the run is already where it should be. */
  private async operate(runId: RunId, command: { readonly kind: 'retry' | 'cancel'; readonly reason: string }): Promise<void> {
    const { log, now, metadata } = this.parts;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const run = foldRun(await log.readRuns([runId]));
      const decision = run && decideOperatorCommand(run, command, { now: now(), metadata });
      if (decision?.accepted !== true) return;
      if ((await log.append(decision.events)).status !== 'conflict') return;
    }
  }
}

const TRIES_MAX = 5;
