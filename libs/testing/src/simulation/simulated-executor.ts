import {
  newEvent, parseJson, RUN_STREAM, taskPath,
  type DomainEvent, type FailureDetail, type Json, type JsonObject, type SegmentTask, type StartedTask, type StepCommand, type TaskTransitioned, type TaskUndoTransitioned,
} from '@foldwork/events';
import {
  attemptScope, evaluateBoolean, ExpressionError, isSeenByNext, resolveInput, runOutput, settleOutput, taskAt,
  type BasicTask, type CompiledDefinition, type CompiledTask,
} from '@foldwork/domain';
import type { Append } from './faults';
import type { OutsideWorld, SimulatedAnswer } from './simulated-actions';
import type { Timeline } from './timeline';

export interface SimulatedExecutorParts {
  readonly append: Append;
  readonly world: OutsideWorld;
  readonly timeline: Timeline;
  readonly definitionOf: (hash: string) => CompiledDefinition | undefined;
  /** Whether the action is registered at this executor. */
  readonly hasAction: (action: string) => boolean;
  readonly onWarning: (message: string) => void;
}

/** An attempt that this executor has claimed. */
interface Held {
  readonly task: SegmentTask;
  readonly spec: CompiledTask;
  readonly input: Json | undefined;
  /** Of the task's stream, as this executor knows it. */
  version: number;
}

type Outcome = { readonly output: Json } | { readonly error: FailureDetail; readonly escalated?: true };

/**
 * Follows the execution protocol with simulated actions: claim, act, record the outcome together with the start of the
 * next task of the segment. After a conflict it drops everything; after a crash it is another incarnation.
 */
export class SimulatedExecutor {
  private incarnation = 1;
  private requests = 0;
  readonly fenced: string[] = [];

  constructor(
    readonly name: string,
    private readonly parts: SimulatedExecutorParts,
  ) {}

  get holder(): string {
    return `${this.name}#${this.incarnation}`;
  }

  /** As in the real one: the claims of a doubled command are two, also in the same millisecond. */
  nextRequest(): string {
    this.requests += 1;
    return `${this.requests}`;
  }

  /** It dies and comes back; what it held is lost. */
  die(): void {
    this.incarnation += 1;
  }

  isLost(holder: string): boolean {
    const [name, incarnation] = holder.split('#');
    return name === this.name && Number(incarnation) < this.incarnation;
  }

  /** Each segment goes its own way; `guard` decides what a crash in it means. */
  take(message: string, guard: (work: () => Promise<void>) => Promise<void>): void {
    const command = parseJson(message) as unknown as StepCommand; // stringified by the simulated planner
    const definition = this.parts.definitionOf(command.definition);
    if (definition === undefined) return;
    for (const segment of command.segments) {
      const runner = new SegmentRun(this, this.parts, command, definition, segment, this.holder);
      this.parts.timeline.after(0, () => guard(() => runner.start(guard)));
    }
  }
}

/** One segment at one incarnation of an executor. */
class SegmentRun {
  private readonly scope: { [name: string]: Json };
  private index = 0;

  constructor(
    private readonly executor: SimulatedExecutor,
    private readonly parts: SimulatedExecutorParts,
    private readonly command: StepCommand,
    private readonly definition: CompiledDefinition,
    private readonly segment: readonly SegmentTask[],
    private readonly holder: string,
  ) {
    this.scope = { ...command.scope };
  }

  async start(guard: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const [first] = this.segment;
    if (first === undefined || this.isDead()) return;
    if (first.undo === true) return this.undo(first, guard);
    const spec = taskAt(this.definition, first.path);
    const { action } = spec.spec as BasicTask; // planners send basic tasks only
    if (!this.parts.hasAction(action)) return this.parts.onWarning(`no handler for ${first.path} (${action})`);
    const input = this.inputOf(first, spec);
    if ('error' in input) return this.refuse(first, input.error);
    const held: Held = { task: first, spec, input: input.value, version: first.version };
    const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: first.attempt, at: this.now, executor: this.holder, ...this.startFacts(held) };
    if (await this.write(held, { type: 'TaskTransitioned', data }, false)) this.act(held, guard);
  }

  private get now(): number {
    return this.parts.timeline.now;
  }

  private isDead(): boolean {
    return this.executor.holder !== this.holder;
  }

  private inputOf(task: SegmentTask, spec: CompiledTask): { value: Json | undefined } | { error: FailureDetail } {
    try {
      return { value: resolveInput(spec, task, attemptScope(this.scope, task, spec)) };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return { error: { code: 'EXPRESSION_ERROR', message: error.message } };
    }
  }

  private startFacts({ task, spec, input }: Held): Partial<StartedTask> {
    const { effect } = spec.spec as BasicTask;
    const recorded = effect === 'once' || effect === 'keyed' ? { effect: { class: effect, key: this.keyOf(task) } } : {};
    return { ...(input !== undefined && { input }), ...recorded };
  }

  private keyOf({ path }: SegmentTask): string {
    return `${this.command.runId}/${path}`;
  }

  private async refuse(task: SegmentTask, error: FailureDetail): Promise<void> {
    const begin: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: task.attempt, at: this.now, executor: this.holder };
    const fail: TaskTransitioned = { transition: 'fail', from: 'in_progress', to: 'failed', attempt: task.attempt, at: this.now, executor: this.holder, error };
    const events = [begin, fail].map((data, index) => this.event(task, task.version + 1 + index, { type: 'TaskTransitioned', data }, index === 1));
    await this.parts.append(this.executor.name, events);
  }

  /** The handler begins now; its effect, if any, takes place at once and the answer comes later. */
  private act(held: Held, guard: (work: () => Promise<void>) => Promise<void>): void {
    const { task } = held;
    const verified = task.verify === undefined ? undefined : this.verify(held);
    const answer = verified ?? this.callAction(held);
    this.parts.timeline.after(answer.ms ?? 1, () =>
      guard(async () => {
        if (this.isDead()) return;
        await this.finish(held, 'escalated' in answer ? (answer as Outcome) : this.outcomeOf(held, answer), guard);
      }),
    );
  }

  private callAction({ task, spec, input }: Held): SimulatedAnswer {
    const { action } = spec.spec as BasicTask;
    const answer = this.parts.world.call(action, { runId: this.command.runId, task: task.path, input: input ?? {}, attempt: task.attempt, key: this.keyOf(task), now: this.now });
    if (answer.effect === true) this.parts.world.took(this.command.runId, task.path);
    return answer;
  }

  /** `verify` looks at the world; `undefined`: not applied, so the action runs. */
  private verify({ task, spec }: Held): (SimulatedAnswer & { escalated?: true }) | undefined {
    const applied = this.parts.world.effectsOf(this.command.runId, task.path) > 0;
    const isFound = spec.verify === undefined ? applied : evaluateBoolean(spec.verify.found, { ...attemptScope(this.scope, task, spec), result: { found: applied } });
    if (isFound) return { output: { ...task.sideEffects, verified: true } };
    return task.verify === 'only' ? { error: task.error ?? { code: 'ATTEMPTS_EXHAUSTED', message: 'not applied' } } : undefined;
  }

  private outcomeOf({ task, spec }: Held, answer: SimulatedAnswer): Outcome {
    if ('error' in answer) return this.failure(task, spec, answer.error);
    try {
      const settled = settleOutput(spec, answer.output, attemptScope(this.scope, task, spec));
      return 'error' in settled ? this.failure(task, spec, settled.error) : settled;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return { error: { code: 'EXPRESSION_ERROR', message: error.message } };
    }
  }

  private failure(task: SegmentTask, spec: CompiledTask, error: FailureDetail): Outcome {
    const { escalate } = spec.spec as BasicTask;
    const escalates = escalate === 'exhausted' ? task.last === true : (escalate ?? []).includes(error.code);
    return escalates ? { error, escalated: true } : { error };
  }

  private async finish(held: Held, outcome: Outcome, guard: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const { spec, input } = held;
    if ('error' in outcome) {
      const [transition, to] = outcome.escalated === true ? (['escalate', 'escalated'] as const) : (['fail', 'failed'] as const);
      await this.record(held, { transition, to, error: outcome.error }, true);
      return;
    }
    if (isSeenByNext(held.task)) {
      const tasks = (this.scope['tasks'] ?? {}) as JsonObject;
      this.scope['tasks'] = { ...tasks, [spec.id]: { status: 'completed', input: input ?? {}, output: outcome.output, error: null } };
      this.scope['previous'] = outcome.output;
    }
    const next = this.nextHeld();
    const starts = next && { starts: { task: next.task.path, attempt: next.task.attempt, ...this.startFacts(next) } };
    if (await this.endRun(held, outcome.output)) return;
    const isRecorded = await this.record(held, { transition: 'complete', to: 'completed', output: outcome.output, ...starts }, next === undefined);
    if (isRecorded && next !== undefined) this.act(next, guard);
  }

  /** The outcome and the end of the run in one append. False: the run has moved meanwhile, or its output cannot be made. */
  private async endRun({ task, version }: Held, output: Json): Promise<boolean> {
    if (task.endsRun === undefined) return false;
    const ended = this.runOutput();
    if (ended === undefined) return false;
    const data: TaskTransitioned = { transition: 'complete', from: 'in_progress', to: 'completed', attempt: task.attempt, at: this.now, executor: this.holder, output };
    const outcome = this.event(task, version + 1, { type: 'TaskTransitioned', data }, false);
    const end = this.event({ ...task, path: RUN_STREAM }, task.endsRun.version, { type: 'RunCompleted', data: { output: ended, at: this.now } }, true);
    return (await this.parts.append(this.executor.name, [outcome, end])).status !== 'conflict';
  }

  private runOutput(): Json | undefined {
    try {
      return runOutput(this.definition, this.scope);
    } catch (error) {
      if (error instanceof ExpressionError) return undefined;
      throw error;
    }
  }

  private nextHeld(): Held | undefined {
    this.index += 1;
    const task = this.segment[this.index];
    if (task === undefined) return undefined;
    const spec = taskAt(this.definition, task.path);
    const input = this.inputOf(task, spec);
    if ('error' in input || !this.parts.hasAction((spec.spec as BasicTask).action)) return undefined;
    return { task, spec, input: input.value, version: task.version };
  }

  private record(held: Held, facts: Pick<TaskTransitioned, 'transition' | 'to'> & Partial<TaskTransitioned>, decide: boolean): Promise<boolean> {
    const { task } = held;
    const data = { from: 'in_progress', attempt: task.attempt, at: this.now, executor: this.holder, ...(task.verify !== undefined && { verify: task.verify }), ...facts } as TaskTransitioned;
    return this.write(held, { type: 'TaskTransitioned', data }, decide);
  }

  /** False: somebody else moved the task; nothing of this attempt is recorded any more. */
  private async write(held: Pick<Held, 'task' | 'version'>, event: DomainEvent, decide: boolean): Promise<boolean> {
    const outcome = await this.parts.append(this.executor.name, [this.event(held.task, held.version + 1, event, decide)]);
    if (outcome.status === 'conflict') this.executor.fenced.push(held.task.path);
    if (outcome.status === 'conflict') return false;
    held.version += 1;
    return true;
  }

  private async undo(task: SegmentTask, guard: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const spec = taskAt(this.definition, task.path);
    const held = { task, version: task.version };
    const undone = (to: TaskUndoTransitioned['to'], error?: FailureDetail): DomainEvent => ({
      type: 'TaskUndoTransitioned',
      data: { to, attempt: task.attempt, executor: this.holder, at: this.now, ...(error && { error }) },
    });
    if (!(await this.write(held, undone('started'), false))) return;
    const isNeeded = task.verify === undefined || this.parts.world.effectsOf(this.command.runId, task.path) > 0;
    const answer = isNeeded ? this.callUndo(task, spec) : { output: null };
    this.parts.timeline.after(answer.ms ?? 1, () =>
      guard(async () => {
        if (this.isDead()) return;
        const isDone = await this.write(held, 'error' in answer ? undone('failed', answer.error) : undone('completed'), true);
        if (isDone && !('error' in answer) && isNeeded) this.parts.world.undone.push(task.path);
      }),
    );
  }

  private callUndo(task: SegmentTask, spec: CompiledTask): SimulatedAnswer {
    const input = spec.undo?.with?.evaluate({ ...attemptScope(this.scope, task, spec), output: task.output ?? null }) ?? {};
    const { runId } = this.command;
    return this.parts.world.call(spec.undo?.action ?? '', { runId, task: taskPath(`${task.path}!undo`), input, attempt: task.attempt, key: this.keyOf(task), now: this.now });
  }

  private event({ path }: SegmentTask, version: number, event: DomainEvent, decide: boolean) {
    const { runId, namespace } = this.command;
    return newEvent({ runId, namespace, metadata: { actor: `executor:${this.holder}`, requestId: this.executor.nextRequest() } }, path, version, event, decide);
  }
}
