import {
  InMemoryEventLog, newEvent, RUN_STREAM, signalStream, taskPath,
  type Json, type RecordedEvent, type RunId, type RunRequested,
} from '@foldwork/events';
import {
  compileDefinition, decideOperatorCommand, definitionHash, derivedRunId, foldRun, isOpenRun, parseDefinition,
  type CompiledDefinition, type Definition, type OperatorCommand, type OperatorDecision, type RunDecision, type RunState, type TaskState,
} from '@foldwork/domain';
import { Crashed, NO_FAULTS, unreliableAppend, type Append, type Faults } from './faults';
import { Random } from './random';
import { OutsideWorld, type SimulatedAction } from './simulated-actions';
import { SimulatedExecutor } from './simulated-executor';
import { SimulatedPlanner } from './simulated-planner';
import { Timeline } from './timeline';

export interface SimulationOptions {
  readonly seed?: number;
  readonly faults?: Faults;
  readonly actions?: Readonly<Record<string, SimulatedAction>>;
  readonly executors?: number;
  readonly onDecision?: (run: RunState, decision: RunDecision) => void;
}

export interface RequestOptions {
  readonly input?: Json;
  /** Automatic retries of the failed run; default none. */
  readonly retry?: RunRequested['retry'];
  readonly lane?: RunRequested['lane'];
  readonly orchestrators?: RunRequested['orchestrators'];
}

/** 2026-01-01: simulations begin there. */
export const SIMULATION_START = Date.UTC(2026, 0, 1);
const NAMESPACE = 'test';
const STEPS_MAX = 200_000;
const REVIVE_MS = 300;
const LEASE_MS = 1_000;

/**
 * The whole engine on a simulated clock: the real fold, decisions and step commands, with the log in memory, a planner
 * and executors that follow the protocol and die when the faults say so. Everything random comes from the seed.
 */
export class Simulation {
  readonly timeline = new Timeline(SIMULATION_START);
  readonly log: InMemoryEventLog;
  readonly world: OutsideWorld;
  readonly executors: readonly SimulatedExecutor[];
  readonly planner: SimulatedPlanner;
  readonly warnings: string[] = [];
  readonly appends = { count: 0 };
  /** Names of actions that no executor has for now. */
  readonly missingActions = new Set<string>();
  private readonly random: Random;
  private readonly faults: Faults;
  private readonly append: Append;
  private readonly definitions = new Map<string, CompiledDefinition>();
  private readonly workflows = new Map<string, CompiledDefinition>();
  private requests = 0;
  private isPlannerUp = true;
  private isWakePlanned = false;

  constructor(options: SimulationOptions = {}) {
    this.random = new Random(options.seed ?? 1);
    this.faults = options.faults ?? NO_FAULTS;
    this.log = new InMemoryEventLog({ now: () => this.timeline.now, epoch: 'epoch' });
    this.log.onCommit(() => this.wakePlanner());
    this.append = unreliableAppend(this.log, this.faults, this.random, this.appends);
    this.world = new OutsideWorld(new Map(Object.entries(options.actions ?? {})));
    this.executors = Array.from({ length: options.executors ?? 2 }, (_, index) => this.createExecutor(`executor${index + 1}`));
    this.planner = this.createPlanner(options.onDecision);
  }

  get now(): number {
    return this.timeline.now;
  }

  /** Accepts a definition as YAML, or one that is checked already. Throws on diagnostics that are errors. */
  define(source: string | Definition): CompiledDefinition {
    const definition = typeof source === 'string' ? parsed(source) : source;
    const compiled = compileDefinition(definition, definitionHash(definition));
    this.definitions.set(compiled.hash, compiled);
    this.workflows.set(compiled.workflow, compiled);
    return compiled;
  }

  async request(workflow: string, { input = {}, retry = { delayMs: 30_000, maximum: 0 }, lane, orchestrators }: RequestOptions = {}): Promise<RunId> {
    const compiled = this.workflows.get(workflow);
    if (compiled === undefined) throw new Error(`no workflow ${workflow}`);
    this.requests += 1;
    const runId = derivedRunId(this.now, `request ${this.requests}`);
    const data: RunRequested = { workflow, definition: compiled.hash, input, at: this.now, retry, ...(lane && { lane }), ...(orchestrators && { orchestrators }) };
    await this.log.append([newEvent(this.source(runId), RUN_STREAM, 1, { type: 'RunRequested', data }, true)]);
    return runId;
  }

  async signal(runId: RunId, signal: string, payload: Json = {}, extra: { readonly signalId?: string; readonly correlationId?: string } = {}): Promise<void> {
    const signalId = extra.signalId ?? `signal-${(await this.log.head()) + 1}`;
    const data = { signal, signalId, payload, at: this.now, ...(extra.correlationId !== undefined && { correlationId: extra.correlationId }) };
    await this.log.append([newEvent(this.source(runId), signalStream(signalId), 1, { type: 'SignalReceived', data }, true)]);
  }

  async command(runId: RunId, command: OperatorCommand): Promise<OperatorDecision> {
    for (;;) {
      const decision = decideOperatorCommand(await this.run(runId), command, { now: this.now, metadata: { actor: 'person' } });
      if (!decision.accepted) return decision;
      const { status } = await this.log.append(decision.events);
      if (status === 'ok') return decision;
    }
  }

  /** Lets everything happen that can, up to the given time (default: until nothing is left to happen). */
  async settle(until = Infinity): Promise<void> {
    for (let steps = 0; await this.timeline.step(until); steps += 1) {
      if (steps > STEPS_MAX) throw new Error('the simulation does not come to rest');
    }
    if (until !== Infinity) this.timeline.now = Math.max(this.timeline.now, until);
  }

  pass(ms: number): Promise<void> {
    return this.settle(this.now + ms);
  }

  at(delayMs: number, act: () => Promise<unknown>): void {
    this.timeline.after(delayMs, async () => void (await act()));
  }

  async run(runId: RunId): Promise<RunState> {
    const run = foldRun(await this.log.readRuns([runId]));
    if (run === undefined) throw new Error(`no run ${runId}`);
    return run;
  }

  async task(runId: RunId, path: string): Promise<TaskState> {
    const task = (await this.run(runId)).tasks.get(taskPath(path));
    if (task === undefined) throw new Error(`no task ${path}`);
    return task;
  }

  async events(runId: RunId): Promise<RecordedEvent[]> {
    return this.log.readRuns([runId]);
  }

  /** Statuses by path, as one sees them in the log. */
  async statuses(runId: RunId): Promise<Record<string, string>> {
    return Object.fromEntries([...(await this.run(runId)).tasks.values()].map(({ path, status }) => [path, status]));
  }

  /** Open runs in which nothing is left to happen: each must wait for a signal or a person. */
  async stuck(): Promise<RunState[]> {
    const runs = await Promise.all(this.planner.runIds().map((runId) => this.run(runId)));
    return runs.filter((run) => isOpenRun(run) && run.waiting.size === 0 && !run.paused);
  }

  killExecutor(index: number): void {
    this.executorDied(this.executors[index] as SimulatedExecutor);
  }

  killPlanner(): void {
    this.plannerDied();
  }

  private source(runId: RunId): { runId: RunId; namespace: string; metadata: { actor: string } } {
    return { runId, namespace: NAMESPACE, metadata: { actor: 'person' } };
  }

  private createExecutor(name: string): SimulatedExecutor {
    return new SimulatedExecutor(name, {
      append: this.append,
      world: this.world,
      timeline: this.timeline,
      definitionOf: (hash) => this.definitions.get(hash),
      hasAction: (action) => !this.missingActions.has(action),
      onWarning: (message) => void this.warnings.push(message),
    });
  }

  private createPlanner(onDecision: SimulationOptions['onDecision']): SimulatedPlanner {
    const planner = new SimulatedPlanner({
      log: this.log,
      append: this.append,
      timeline: this.timeline,
      definitionOf: (hash) => this.definitions.get(hash),
      definitionOfWorkflow: (workflow) => this.workflows.get(workflow),
      triggeredBy: (signal) => [...this.workflows.values()].filter(({ definition }) => definition.triggers?.some((trigger) => trigger.signal === signal)),
      send: (message) => this.send(message),
      isLost: (holder) => this.executors.some((executor) => executor.isLost(holder)),
      ...(onDecision && { onDecision }),
    });
    planner.guard = (work) => this.guardPlanner(work);
    return planner;
  }

  private wakePlanner(): void {
    if (this.isWakePlanned) return;
    this.isWakePlanned = true;
    this.timeline.after(this.random.below(3), async () => {
      this.isWakePlanned = false;
      await this.guardPlanner(() => this.planner.catchUp());
    });
  }

  private async guardPlanner(work: () => Promise<void>): Promise<void> {
    // an appointment of a planner that is down is kept when it is up again
    if (!this.isPlannerUp) return this.timeline.after(REVIVE_MS, () => this.guardPlanner(work));
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
      this.plannerDied();
    }
  }

  private plannerDied(): void {
    this.isPlannerUp = false;
    this.planner.die();
    this.timeline.after(REVIVE_MS, async () => {
      this.isPlannerUp = true;
      await this.guardPlanner(async () => {
        await this.planner.catchUp();
        for (const runId of this.planner.runIds()) await this.planner.sweep(runId);
      });
    });
  }

  private executorDied(executor: SimulatedExecutor): void {
    executor.die();
    this.timeline.after(LEASE_MS, () =>
      this.guardPlanner(async () => {
        for (const runId of this.planner.runIds()) await this.planner.decide(runId);
      }),
    );
  }

  private send(message: string): void {
    if (this.random.chance(this.faults.drop)) return;
    const copies = this.random.chance(this.faults.double) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const executor = this.random.pick(this.executors);
      this.timeline.after(1 + this.random.below(this.faults.delayMs + 1), async () => executor.take(message, (work) => this.guardExecutor(executor, work)));
    }
  }

  private async guardExecutor(executor: SimulatedExecutor, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
      this.executorDied(executor);
    }
  }
}

const parsed = (yaml: string): Definition => {
  const { definition, diagnostics } = parseDefinition(yaml);
  if (definition !== undefined) return definition;
  throw new Error(diagnostics.map(({ message, line }) => `line ${line}: ${message}`).join('\n'));
};

