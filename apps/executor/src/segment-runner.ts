import { childName, EventRefused, formatRunId, type FailureDetail, type Json, type SegmentTask, type StepCommand } from '@foldwork/events';
import { ExpressionError, isSeenByNext, LEASE_LOST, runOutput, taskAt, type CompiledDefinition } from '@foldwork/domain';
import type { ActionRegistry } from '@foldwork/actions';
import type { Logger } from '@foldwork/platform';
import type { AttemptResult, PreparedAttempt } from './attempt';
import { claimTask, type ClaimedTask, type FollowUp, type RunEnd } from './claimed-task';
import { prepareAttempt, type Preparation } from './prepare-attempt';
import { AttemptFenced, type Recorder } from './recorder';
import { runAttempt } from './run-attempt';
import type { RunningAttempts } from './running-attempts';
import type { SecretSource } from './secrets/secret-folder';

export interface SegmentRunnerParts {
  readonly recorder: Recorder;
  readonly actions: ActionRegistry;
  readonly running: RunningAttempts;
  readonly logger: Logger;
  readonly secrets: SecretSource;
  /** True while the executor stops or the run is paused: the task in hand is finished, the next one is left alone. */
  readonly isStopping: (command: StepCommand) => boolean;
}

/**
 * What became of the claim of a segment's first task: `busy`: no room or no right to claim here now; `settled`: nothing is
 * left to do for the command.
 */
export type ClaimOutcome = 'claimed' | 'settled' | 'no_action' | 'busy';

/**
 * Runs a segment: claims its first task, runs it, records its outcome together with the start of the next, and so on
 * until one does not complete. Invariants:
 *  1. nothing is done before the claim is in the log;
 *  2. one commit per task; a conflict ends the segment and drops the result;
 *  3. the last event of a segment asks for a decision.
 */
export class SegmentRunner {
  constructor(private readonly parts: SegmentRunnerParts) {}

  /** Resolves `onClaimed` as soon as the command is no longer needed; the promise itself resolves at the segment's end. */
  async run(command: StepCommand, segment: readonly SegmentTask[], definition: CompiledDefinition, onClaimed: (outcome: ClaimOutcome) => void): Promise<void> {
    const [first, ...rest] = segment;
    if (first === undefined) return onClaimed('settled');
    if (this.parts.running.isPaused(command)) return onClaimed('settled');
    const progress = new SegmentProgress(command, definition, this.parts.actions);
    const claimed = await this.claim(command, first, progress.prepare(first), onClaimed);
    if (claimed !== undefined) await this.runClaimed(claimed, rest, progress);
  }

  private async claim(command: StepCommand, task: SegmentTask, prepared: Preparation, onClaimed: (outcome: ClaimOutcome) => void): Promise<ClaimedTask | undefined> {
    if (prepared.status === 'no_action') {
      this.parts.logger.warn({ event: 'action_missing', runId: formatRunId(command.runId), task: task.path, action: prepared.action });
      onClaimed('no_action');
      return undefined;
    }
    const claimed = prepared.status === 'ready' ? await this.claimReady(prepared.attempt) : await this.refuse(command, task, prepared.error);
    onClaimed(claimed === undefined ? 'settled' : 'claimed');
    return claimed;
  }

  /** An input that the log cannot hold can never be claimed with. */
  private async claimReady(attempt: PreparedAttempt): Promise<ClaimedTask | undefined> {
    try {
      return await claimTask(this.parts.recorder, attempt);
    } catch (error) {
      if (!(error instanceof EventRefused)) throw error;
      return this.refuse(attempt.command, attempt.task, { code: 'INPUT_REFUSED', message: error.message });
    }
  }

  private async refuse(command: StepCommand, task: SegmentTask, error: FailureDetail): Promise<undefined> {
    this.parts.logger.warn({ event: 'task_failed', runId: formatRunId(command.runId), task: task.path, step: childName(task.path), attempt: task.attempt, error });
    await this.parts.recorder.refuse(command, task, error);
  }

  private async runClaimed(first: ClaimedTask, rest: readonly SegmentTask[], progress: SegmentProgress): Promise<void> {
    let held: ClaimedTask | undefined = first;
    for (const next of [...rest, undefined]) {
      if (held === undefined) return;
      held = await this.runOne(held, next, progress);
    }
  }

  private async runOne(held: ClaimedTask, next: SegmentTask | undefined, progress: SegmentProgress): Promise<ClaimedTask | undefined> {
    const { running, logger } = this.parts;
    const { attempt } = held;
    const current = running.begin(attempt);
    if (!held.isOurs) current.abort(LEASE_LOST, 'the lease ended while the task was being claimed');
    try {
      return await this.runToEnd(held, next, progress, current.signal);
    } catch (error) {
      if (!(error instanceof AttemptFenced)) return await this.broken(held, error);
      logger.warn({ event: 'attempt_fenced', runId: formatRunId(attempt.command.runId), task: attempt.task.path, step: attempt.spec.id, attempt: attempt.task.attempt });
      return undefined;
    } finally {
      current.end();
    }
  }

  /** A bug of ours must not leave the attempt in progress for ever. */
  private async broken(held: ClaimedTask, error: unknown): Promise<never> {
    await held.finish({ status: 'failed', error: { code: 'EXECUTOR_FAULT', message: 'the executor failed while running this attempt; its log says why' } }, {});
    throw error;
  }

  private async runToEnd(held: ClaimedTask, next: SegmentTask | undefined, progress: SegmentProgress, signal: AbortSignal): Promise<ClaimedTask | undefined> {
    const { actions, logger, secrets, isStopping } = this.parts;
    const { attempt } = held;
    const startedAt = performance.now();
    this.log('info', 'task_started', attempt);
    const result = await runAttempt(attempt, { recorder: held, scope: progress.scope, actions, logger, secrets, signal });
    const goesOn = result.status === 'completed' && held.isOurs && !isStopping(attempt.command);
    progress.note(attempt, result);
    const { recorded, nextHeld } = await this.finish(held, result, goesOn ? progress.followUp(attempt.task, next) : {});
    this.logEnd(attempt, recorded, performance.now() - startedAt);
    return nextHeld;
  }

  /** What the log cannot hold is no result. What follows may be what it cannot hold: the planner sees to that. */
  private async finish(held: ClaimedTask, result: AttemptResult, follows: FollowUp): Promise<Finished> {
    try {
      return { recorded: result, nextHeld: await held.finish(result, follows) };
    } catch (error) {
      if (!(error instanceof EventRefused)) throw error;
      if (follows.next !== undefined || follows.end !== undefined) return this.finish(held, result, {});
      const message = `the log cannot hold what ${held.attempt.task.path} answered: ${error.message}`;
      const recorded: AttemptResult = { status: 'failed', error: { code: 'RESULT_REFUSED', message } };
      return { recorded, nextHeld: await held.finish(recorded, {}) };
    }
  }

  private log(level: 'info' | 'warn', event: string, { command, task, spec }: PreparedAttempt, fields: object = {}): void {
    if (!this.parts.logger.isLevelEnabled(level)) return; // a line per step is built only for somebody
    this.parts.logger[level]({ event, runId: formatRunId(command.runId), task: task.path, step: spec.id, attempt: task.attempt, ...fields });
  }

  /** Duration in seconds, two decimals. */
  private logEnd(attempt: PreparedAttempt, result: AttemptResult, durationMs: number): void {
    const duration = (durationMs / 1000).toFixed(2);
    if (result.status === 'completed') this.log('info', 'task_completed', attempt, { duration });
    else this.log('warn', `task_${result.status}`, attempt, { duration, error: result.error });
  }
}

interface Finished {
  readonly recorded: AttemptResult;
  readonly nextHeld: ClaimedTask | undefined;
}

/** The variables of a segment as its tasks complete: one object that grows, a copy per task would cost the square of their number. */
class SegmentProgress {
  readonly scope: { [name: string]: Json };
  private readonly tasks: { [id: string]: Json };

  constructor(
    private readonly command: StepCommand,
    private readonly definition: CompiledDefinition,
    private readonly actions: ActionRegistry,
  ) {
    const { tasks } = command.scope;
    this.tasks = typeof tasks === 'object' && tasks !== null && !Array.isArray(tasks) ? { ...tasks } : {};
    this.scope = { ...command.scope, tasks: this.tasks };
  }

  prepare(task: SegmentTask): Preparation {
    return prepareAttempt(this.command, task, this.definition, this.actions, this.scope);
  }

  /** Only what can run at once is started with the end of the task before; the rest is the planner's to look at. */
  followUp({ endsRun }: SegmentTask, next: SegmentTask | undefined): FollowUp {
    if (next === undefined) return { end: endsRun && this.runEnd(endsRun.version) };
    const prepared = this.prepare(next);
    return prepared.status === 'ready' ? { next: prepared.attempt } : {};
  }

  /** An output that cannot be evaluated fails the run, and that is the planner's to decide. */
  private runEnd(version: number): RunEnd | undefined {
    try {
      return { version, output: runOutput(this.definition, this.scope) };
    } catch (error) {
      if (error instanceof ExpressionError) return undefined;
      throw error;
    }
  }

  note({ task, input }: PreparedAttempt, result: AttemptResult): void {
    if (result.status !== 'completed' || !isSeenByNext(task)) return;
    const { id } = taskAt(this.definition, task.path);
    this.tasks[id] = { status: 'completed', input: input ?? {}, output: result.output, error: null };
    this.scope['previous'] = result.output;
  }
}
