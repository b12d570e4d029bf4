import { LogUnavailable, type Json, type RunId, type SegmentTask, type StepCommand } from '@foldwork/events';
import { taskAt, type CompiledDefinition } from '@foldwork/domain';
import type { ActionRegistry } from '@foldwork/actions';
import type { Logger } from '@foldwork/platform';
import type { AttemptResult, PreparedAttempt } from './attempt';
import { AttemptFenced, type ClaimedTask, type Recorder } from './claimed-task';
import { prepareAttempt, type Preparation } from './prepare-attempt';
import { runAttempt } from './run-attempt';
import type { RunningAttempts } from './running-attempts';

export interface SegmentRunnerParts {
  readonly recorder: Recorder;
  readonly actions: ActionRegistry;
  readonly running: RunningAttempts;
  readonly logger: Logger;
  /** True while the executor stops or the run is paused: the task in hand is finished, the next one is left alone. */
  readonly isStopping: (runId: RunId) => boolean;
}

/** What became of the claim of a segment's first task. */
export type ClaimOutcome = 'claimed' | 'settled' | 'no_action';

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
    const progress = new SegmentProgress(command, definition, this.parts.actions);
    const prepared = progress.prepare(first);
    const claimed = await this.claim(command, first, prepared, onClaimed);
    if (claimed !== undefined) await this.runClaimed(claimed, rest, progress);
  }

  private async claim(command: StepCommand, task: SegmentTask, prepared: Preparation, onClaimed: (outcome: ClaimOutcome) => void): Promise<ClaimedTask | undefined> {
    const { recorder, logger } = this.parts;
    if (prepared.status === 'no_action') {
      logger.warn({ event: 'action_missing', run: command.runId, task: task.path, action: prepared.action });
      onClaimed('no_action');
      return undefined;
    }
    if (prepared.status === 'faulty') {
      logger.warn({ event: 'task_failed', run: command.runId, task: task.path, error: prepared.error });
      await recorder.refuse(command, task, prepared.error);
      onClaimed('settled');
      return undefined;
    }
    const claimed = await recorder.claim(prepared.attempt);
    onClaimed(claimed === undefined ? 'settled' : 'claimed');
    return claimed;
  }

  private async runClaimed(first: ClaimedTask, rest: readonly SegmentTask[], progress: SegmentProgress): Promise<void> {
    let held: ClaimedTask | undefined = first;
    for (const next of [...rest, undefined]) {
      if (held === undefined) return;
      held = await this.runOne(held, next, progress);
    }
  }

  private async runOne(held: ClaimedTask, next: SegmentTask | undefined, progress: SegmentProgress): Promise<ClaimedTask | undefined> {
    const { attempt } = held;
    const signal = this.parts.running.begin(attempt);
    const startedAt = performance.now();
    this.log('task_started', attempt);
    try {
      const result = await runAttempt(attempt, { recorder: held, scope: progress.scope, actions: this.parts.actions, logger: this.parts.logger, signal });
      progress.note(attempt, result);
      const follows = result.status === 'completed' && next !== undefined && !this.parts.isStopping(attempt.command.runId) ? progress.prepareNext(next) : undefined;
      const nextHeld = await held.finish(result, follows);
      this.logEnd(attempt, result, performance.now() - startedAt);
      return nextHeld;
    } catch (error) {
      if (!(error instanceof AttemptFenced) && !(error instanceof LogUnavailable)) throw error;
      this.parts.logger.warn({ event: 'attempt_fenced', run: attempt.command.runId, task: attempt.task.path, attempt: attempt.task.attempt });
      return undefined;
    } finally {
      this.parts.running.end(attempt);
    }
  }

  private log(event: string, { command, task, spec }: PreparedAttempt, fields: object = {}): void {
    if (!this.parts.logger.isLevelEnabled('info')) return; // a line per step is built only for somebody
    this.parts.logger.info({ event, run: command.runId, task: task.path, step: spec.id, attempt: task.attempt, ...fields });
  }

  private logEnd(attempt: PreparedAttempt, result: AttemptResult, durationMs: number): void {
    const duration = (durationMs / 1000).toFixed(2);
    this.log(`task_${result.status}`, attempt, result.status === 'completed' ? { duration } : { duration, error: result.error });
  }
}

/** The variables of a segment as its tasks complete. */
class SegmentProgress {
  readonly scope: { [name: string]: Json };

  constructor(
    private readonly command: StepCommand,
    private readonly definition: CompiledDefinition,
    private readonly actions: ActionRegistry,
  ) {
    this.scope = { ...command.scope };
  }

  prepare(task: SegmentTask): Preparation {
    return prepareAttempt(this.command, task, this.definition, this.actions, this.scope);
  }

  /** Only what can run at once is started with the event of the task before; the rest is the planner's to look at. */
  prepareNext(task: SegmentTask): PreparedAttempt | undefined {
    const prepared = this.prepare(task);
    return prepared.status === 'ready' ? prepared.attempt : undefined;
  }

  note({ task, input }: PreparedAttempt, result: AttemptResult): void {
    if (result.status !== 'completed') return;
    const { id } = taskAt(this.definition, task.path);
    const { tasks } = this.scope;
    const known = typeof tasks === 'object' && tasks !== null && !Array.isArray(tasks) ? tasks : {};
    this.scope['tasks'] = { ...known, [id]: { status: 'completed', input: input ?? {}, output: result.output, error: null } };
    this.scope['previous'] = result.output;
  }
}
