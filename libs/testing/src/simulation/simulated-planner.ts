import { newEvent, refusalOf, signalStream, stringifyJson, type EventLog, type NewEvent, type RecordedEvent, type RunId, type TaskPath } from '@foldwork/events';
import {
  admissible, admission, childRunView, decideOperatorCommand, decideRun, derivedRunId, emptyLaneBook, foldEvent, foldLanes, foldRun, isOpenRun, lacksRequest, lookAtEverything,
  lookAtTask, openChildRuns, stepCommands, unknownTarget,
  type ChildRunRequest, type CompiledDefinition, type OutgoingSignal, type RunDecision, type RunState, type SignalDispatch,
} from '@foldwork/domain';
import type { Append } from './faults';
import type { Timeline } from './timeline';

export interface SimulatedPlannerParts {
  readonly log: EventLog;
  readonly append: Append;
  readonly timeline: Timeline;
  readonly definitionOf: (hash: string) => CompiledDefinition | undefined;
  readonly definitionOfWorkflow: (workflow: string) => CompiledDefinition | undefined;
  readonly triggeredBy: (signal: string) => readonly CompiledDefinition[];
  readonly send: (message: string) => void;
  readonly isLost: (executor: string) => boolean;
  readonly onDecision?: (run: RunState, decision: RunDecision) => void;
}

/** How long a command may stay unclaimed before it is sent again. */
const SWEEP_MS = 5_000;
const QUARANTINE_MS = 2_000;
const METADATA = { actor: 'planner:simulated' };

/**
 * Reads the log, decides, appends, sends, delivers. What it holds in memory is gone after a crash; the appointments
 * stand for the agenda, which is not.
 */
export class SimulatedPlanner {
  private cursor = 0;
  private runs = new Map<RunId, RunState>();
  private dispatched = new Map<RunId, Map<string, SignalDispatch>>();
  private refused = new Map<RunId, string>();
  private lanes = emptyLaneBook();
  private readonly known = new Set<RunId>();
  private readonly wakes = new Map<RunId, number>();
  private readonly sweeps = new Map<RunId, number>();

  constructor(private readonly parts: SimulatedPlannerParts) {}

  /** It dies and comes back: reads the log again from somewhere before, and looks at everything that may be open. */
  die(): void {
    this.runs = new Map();
    this.dispatched = new Map();
    this.refused = new Map();
    this.lanes = emptyLaneBook();
    this.cursor = 0;
  }

  /** Takes in what is new in the log and decides every run that it concerns. */
  async catchUp(): Promise<void> {
    const events = await this.parts.log.readAfter(this.cursor, Number.MAX_SAFE_INTEGER);
    const due = new Set<RunId>();
    for (const event of events) {
      if (lacksRequest(this.lanes, event)) foldLanes(this.lanes, await this.requestOf(event.runId));
      foldLanes(this.lanes, event);
      if (event.type === 'RunRequested') this.known.add(event.runId);
      const run = this.runs.get(event.runId);
      if (run !== undefined) foldEvent(run, event);
      if (event.decide) due.add(event.runId);
      this.cursor = event.position;
    }
    await this.admit();
    for (const runId of due) await this.decide(runId);
  }

  /** An appointment: commands may have been lost, executors too. */
  async sweep(runId: RunId): Promise<void> {
    const run = await this.load(runId);
    if (run === undefined) return;
    lookAtEverything(run);
    await this.decide(runId);
  }

  /** The run as this planner holds it in memory. */
  held(runId: RunId): RunState | undefined {
    return this.runs.get(runId);
  }

  definitionFor(run: RunState): CompiledDefinition {
    const definition = this.parts.definitionOf(run.definition);
    if (definition === undefined) throw new Error(`no definition ${run.definition}`);
    return definition;
  }

  runIds(): readonly RunId[] {
    return [...this.known];
  }

  async decide(runId: RunId): Promise<void> {
    for (;;) {
      const run = await this.load(runId);
      const definition = run && this.parts.definitionOf(run.definition);
      if (run === undefined || definition === undefined) return;
      const childRuns = new Map<RunId, RunState | undefined>();
      for (const id of openChildRuns(run)) childRuns.set(id, await this.readRun(id));
      const decision = decideRun(run, definition, {
        now: this.parts.timeline.now,
        metadata: METADATA,
        quarantineMs: QUARANTINE_MS,
        refusalOf,
        isLost: this.parts.isLost,
        dispatched: (signalId) => this.dispatchedBy(runId).get(signalId),
        childRun: (id) => {
          const child = childRuns.get(id);
          const refusal = this.refused.get(id);
          if (child !== undefined) return childRunView(child);
          return refusal === undefined ? undefined : { status: 'refused', attempt: 1, error: { code: 'WORKFLOW_UNKNOWN', message: refusal } };
        },
      });
      this.parts.onDecision?.(run, decision);
      const outcome = decision.events.length === 0 ? { status: 'ok' } : await this.parts.append('planner', decision.events);
      if (outcome.status !== 'conflict') return this.follow(run, definition, decision);
      this.runs.delete(runId);
    }
  }

  private async follow(run: RunState, definition: CompiledDefinition, decision: RunDecision): Promise<void> {
    const { timeline, send } = this.parts;
    const { runId } = run;
    for (const command of stepCommands(run, definition, decision, 'epoch')) send(stringifyJson(command));
    if (decision.wakeAt !== undefined) this.appoint(this.wakes, runId, decision.wakeAt, () => this.decide(runId));
    const isUnderWay = run.executing.size > 0 || [...run.handed.values()].some(({ size }) => size > 0);
    if (isOpenRun(run) && isUnderWay) this.appoint(this.sweeps, runId, timeline.now + SWEEP_MS, () => this.sweep(runId));
    this.forgetFailed(runId);
    for (const signal of decision.signals) await this.deliver(run, signal);
    for (const request of decision.childRuns) await this.startChild(run, request);
    for (const child of decision.cancelRuns) await this.cancelChild(child);
    const { parent } = run.request;
    if (!isOpenRun(run) && parent !== undefined) timeline.after(1, () => this.lookLater(parent.runId, parent.task));
  }

  /** Set by the composition: work of this planner that a crash may end. */
  guard: (work: () => Promise<void>) => Promise<void> = (work) => work();

  /** A run has one appointment of a kind, the earliest. */
  private appoint(appointments: Map<RunId, number>, runId: RunId, at: number, act: () => Promise<void>): void {
    const known = appointments.get(runId);
    if (known !== undefined && known <= at) return;
    appointments.set(runId, at);
    this.parts.timeline.after(at - this.parts.timeline.now, async () => {
      if (appointments.get(runId) !== at) return;
      appointments.delete(runId);
      await this.guard(act);
    });
  }

  private decideLater(runId: RunId): Promise<void> {
    return this.guard(() => this.decide(runId));
  }

  private lookLater(runId: RunId, task: NonNullable<RunState['request']['parent']>['task']): Promise<void> {
    return this.guard(async () => {
      const run = await this.load(runId);
      if (run === undefined) return;
      lookAtTask(run, task);
      await this.decide(runId);
    });
  }

  private async load(runId: RunId): Promise<RunState | undefined> {
    const known = this.runs.get(runId);
    if (known !== undefined) return known;
    const run = await this.readRun(runId);
    if (run === undefined) return undefined;
    lookAtEverything(run);
    this.runs.set(runId, run);
    return run;
  }

  private async readRun(runId: RunId): Promise<RunState | undefined> {
    return foldRun(await this.parts.log.readRuns([runId]));
  }

  private async requestOf(runId: RunId): Promise<RecordedEvent> {
    const [request] = await this.parts.log.readRuns([runId]);
    if (request === undefined) throw new Error(`no run ${runId}`);
    return request;
  }

  private async deliver(run: RunState, signal: OutgoingSignal): Promise<void> {
    this.dispatchedBy(run.runId).set(signal.signalId, await this.dispatch(run, signal));
    this.lookSoon(run, signal.task);
  }

  private lookSoon(run: RunState, task: TaskPath): void {
    lookAtTask(run, task);
    this.parts.timeline.after(0, () => this.decideLater(run.runId));
  }

  private dispatchedBy(runId: RunId): Map<string, SignalDispatch> {
    const known = this.dispatched.get(runId) ?? new Map<string, SignalDispatch>();
    this.dispatched.set(runId, known);
    return known;
  }

  /** What failed is in the log by now; when its task is tried again, it is sent again. */
  private forgetFailed(runId: RunId): void {
    const known = this.dispatchedBy(runId);
    for (const [signalId, dispatch] of known) if ('error' in dispatch) known.delete(signalId);
  }

  private async dispatch(from: RunState, signal: OutgoingSignal): Promise<SignalDispatch> {
    const named = signal.to?.run;
    if (named !== undefined && (await this.readRun(named))?.namespace !== from.namespace) return { error: unknownTarget(named) };
    if (named !== undefined) return { targets: await this.deliverToRuns(from, signal) };
    return { targets: [...(await this.deliverToRuns(from, signal)), ...(await this.trigger(from, signal))] };
  }

  private async deliverToRuns(from: RunState, { signalId, signal, payload, to, at }: OutgoingSignal): Promise<string[]> {
    const targets: string[] = [];
    for (const runId of to?.run === undefined ? this.known : [to.run]) {
      const target = await this.readRun(runId);
      if (target === undefined || target.namespace !== from.namespace) continue;
      const waiting = waitingTasks(target, signal, to?.correlationId);
      if (target.signals.has(signalId)) targets.push(...waiting, ...consumedBy(target, signalId));
      else if (isOpenRun(target) && (waiting.length > 0 || to?.run !== undefined)) {
        const data = { signal, signalId, payload, at, ...(to?.correlationId !== undefined && { correlationId: to.correlationId }) };
        const source = { runId, namespace: target.namespace, metadata: METADATA };
        await this.parts.append('planner', [newEvent(source, signalStream(signalId), 1, { type: 'SignalReceived', data }, true)]);
        targets.push(...waiting);
      }
    }
    return targets;
  }

  private async trigger(from: RunState, { signal, signalId, payload, at }: OutgoingSignal): Promise<string[]> {
    const started: string[] = [];
    for (const definition of this.parts.triggeredBy(signal)) {
      const runId = derivedRunId(at, `${signalId}/${definition.workflow}`);
      const data = { workflow: definition.workflow, definition: definition.hash, input: payload, at, retry: { delayMs: 30_000, maximum: 0 }, trigger: { signal, signalId } };
      await this.open(runId, from.namespace, data);
      started.push(`run_${runId}`);
    }
    return started;
  }

  private async startChild(parent: RunState, request: ChildRunRequest): Promise<void> {
    const { runId, workflow, input, at, task, attempt } = request;
    const child = await this.readRun(runId);
    if (child !== undefined) {
      if (child.status !== 'failed' || child.attempt >= attempt) return this.lookSoon(parent, task);
      const decided = decideOperatorCommand(child, { kind: 'retry' }, { now: this.parts.timeline.now, metadata: METADATA });
      if (decided.accepted) await this.parts.append('planner', decided.events);
      return;
    }
    const definition = this.parts.definitionOfWorkflow(workflow);
    if (definition === undefined) {
      this.refused.set(runId, `no workflow ${workflow}`);
      return this.lookSoon(parent, task);
    }
    await this.open(runId, parent.namespace, { workflow, definition: definition.hash, input, at, retry: { delayMs: 0, maximum: 0 }, parent: { runId: parent.runId, task } });
  }

  private async open(runId: RunId, namespace: string, data: RunState['request']): Promise<void> {
    await this.parts.append('planner', [newEvent({ runId, namespace, metadata: METADATA }, '' as RecordedEvent['task'], 1, { type: 'RunRequested', data }, true)]);
  }

  private async cancelChild(runId: RunId): Promise<void> {
    const child = await this.readRun(runId);
    if (child === undefined) return;
    const decided = decideOperatorCommand(child, { kind: 'cancel', reason: 'nobody waits for it any more' }, { now: this.parts.timeline.now, metadata: METADATA });
    if (decided.accepted) await this.parts.append('planner', decided.events);
  }

  private async admit(): Promise<void> {
    for (const { runId } of admissible(this.lanes)) {
      const run = await this.readRun(runId);
      const event: NewEvent | undefined = run && admission(run, { now: this.parts.timeline.now, metadata: METADATA });
      if (event !== undefined) await this.parts.append('planner', [event]);
    }
  }
}

const waitingTasks = (run: RunState, signal: string, correlationId: string | undefined): string[] =>
  [...run.waiting]
    .filter((path) => run.tasks.get(path)?.waitsFor?.some((awaited) => awaited.signal === signal && (awaited.correlationId === undefined || awaited.correlationId === correlationId)))
    .map((path) => `run_${run.runId}/${path}`);

const consumedBy = (run: RunState, signalId: string): string[] =>
  [...run.tasks.values()].filter((task) => task.signalId === signalId).map(({ path }) => `run_${run.runId}/${path}`);
