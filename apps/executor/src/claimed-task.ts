import { RUN_STREAM, type DomainEvent, type Json, type JsonObject, type StartedTask, type TaskTransitioned } from '@foldwork/events';
import type { AttemptRecorder, AttemptResult, PreparedAttempt } from './attempt';
import { AttemptFenced, type Recorder } from './recorder';

/** Claims a task for this executor; `undefined`: somebody else has it. Rejects like `Recorder.claim`. */
export const claimTask = async (recorder: Recorder, attempt: PreparedAttempt): Promise<ClaimedTask | undefined> => {
  const { holder } = recorder;
  const { command, task } = attempt;
  const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: task.attempt, at: recorder.at(), executor: holder, ...startFacts(attempt) };
  const version = task.version + 1;
  const isClaimed = await recorder.claim({ command, task: task.path, version, event: { type: 'TaskTransitioned', data }, holder });
  return isClaimed ? new ClaimedTask(recorder, attempt, version, holder) : undefined;
};

const startFacts = ({ input, effect }: PreparedAttempt): Pick<TaskTransitioned, 'input' | 'effect'> => ({
  ...(input !== undefined && { input }),
  ...(effect && { effect }),
});

const startedTask = (next: PreparedAttempt): StartedTask => ({ task: next.task.path, attempt: next.task.attempt, ...startFacts(next) });

/** What a completed task leads to without a decision. */
export interface FollowUp {
  readonly next?: PreparedAttempt | undefined;
  readonly end?: RunEnd | undefined;
}

export interface RunEnd {
  /** Of the run's stream, after its end. */
  readonly version: number;
  readonly output: Json;
}

const TRANSITION_OF = { completed: 'complete', failed: 'fail', escalated: 'escalate' } as const;

/**
 * A task that this executor holds. Its version is the fence: after a conflict nothing more is written. Once it is being
 * finished, what its action still says in the dark is refused.
 */
export class ClaimedTask implements AttemptRecorder {
  private effects: JsonObject;
  private appending: Promise<void> = Promise.resolve();
  private isEnding = false;

  constructor(
    private readonly recorder: Recorder,
    readonly attempt: PreparedAttempt,
    private version: number,
    private readonly holder: string,
  ) {
    this.effects = { ...attempt.task.sideEffects };
  }

  get sideEffects(): Readonly<JsonObject> {
    return this.effects;
  }

  /** Whether the lease under which it was claimed still stands. */
  get isOurs(): boolean {
    return this.recorder.holds(this.holder);
  }

  async recordSideEffect(effect: JsonObject): Promise<void> {
    await this.write((at) => ({ type: 'SideEffectRecorded', data: { attempt: this.attempt.task.attempt, effect, at } }));
    this.effects = { ...this.effects, ...effect };
  }

  async recordVerification(answer: 'applied' | 'not_applied' | 'unknown', result: Json): Promise<void> {
    await this.write((at) => ({ type: 'EffectVerified', data: { attempt: this.attempt.task.attempt, answer, result, at } }));
    if (answer === 'not_applied') this.effects = {};
  }

  /**
   * The attempt's outcome, and with it what it leads to: in the same event the start of the segment's next task, or in the
   * same append the end of the run. Returns the next task as held by this executor, or `undefined` when there is none.
   * Rejects with `AttemptFenced`, or with `EventRefused`: then nothing is recorded and it may be finished otherwise.
   */
  async finish(result: AttemptResult, { next, end }: FollowUp): Promise<ClaimedTask | undefined> {
    this.isEnding = true;
    const data: TaskTransitioned = {
      transition: TRANSITION_OF[result.status],
      from: 'in_progress',
      to: result.status,
      attempt: this.attempt.task.attempt,
      at: this.recorder.at(),
      executor: this.holder,
      ...(result.status === 'completed' ? { output: result.output } : { error: result.error }),
      ...(this.attempt.task.verify !== undefined && { verify: this.attempt.task.verify }),
      ...(next && { starts: startedTask(next) }),
    };
    await this.appending;
    const event: DomainEvent = { type: 'TaskTransitioned', data };
    if (end !== undefined && (await this.endRun(event, end))) return undefined;
    await this.append(event, next === undefined);
    return next && new ClaimedTask(this.recorder, next, next.task.version, this.holder);
  }

  /** False when the run, or the task, has moved meanwhile: the outcome is then recorded alone, or fenced. */
  private endRun(event: DomainEvent, { version, output }: RunEnd): Promise<boolean> {
    const { attempt: { command, task }, holder, recorder } = this;
    const completed: DomainEvent = { type: 'RunCompleted', data: { output, at: recorder.at() } };
    return recorder.record(
      { command, task: task.path, version: this.version + 1, event, holder, decide: false },
      { command, task: RUN_STREAM, version, event: completed, holder, decide: true },
    );
  }

  /** One after another, whatever the action does at the same time. */
  private write(event: (at: number) => DomainEvent): Promise<void> {
    if (this.isEnding) return Promise.reject(new AttemptFenced(this.attempt.task.path));
    const written = this.appending.then(() => this.append(event(this.recorder.at()), false));
    this.appending = written.catch(() => undefined); // the caller gets the rejection
    return written;
  }

  private async append(event: DomainEvent, decide: boolean): Promise<void> {
    const { attempt: { command, task }, holder } = this;
    const isRecorded = await this.recorder.record({ command, task: task.path, version: this.version + 1, event, holder, decide });
    if (!isRecorded) throw new AttemptFenced(task.path);
    this.version += 1;
  }
}
