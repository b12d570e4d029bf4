import {
  LogUnavailable, newEvent,
  type AppendOutcome, type DomainEvent, type EventLog, type Json, type JsonObject, type NewEvent, type StartedTask, type StepCommand, type TaskTransitioned,
} from '@foldwork/events';
import type { AttemptRecorder, AttemptResult, PreparedAttempt } from './attempt';

/** The attempt was taken away: canceled, or its lease given up. Nothing of it may be recorded any more. */
export class AttemptFenced extends Error {
  constructor(task: string) {
    super(`the attempt of ${task} was taken away`);
    this.name = 'AttemptFenced';
  }
}

const UNAVAILABLE_DELAY_MS = { first: 50, longest: 1_000 };

/** Everything this executor appends, with patience: an outcome that cannot be written now is written when the store is back. */
export class Recorder {
  private claims = 0;

  constructor(
    private readonly log: EventLog,
    /** `name#incarnation` of this executor. */
    readonly holder: () => string,
    private readonly now: () => number,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** A task's start: claims it for this executor. */
  async claim(attempt: PreparedAttempt): Promise<ClaimedTask | undefined> {
    const { task, command } = attempt;
    const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: task.attempt, at: this.now(), executor: this.holder(), ...startFacts(attempt) };
    // The claim's own number tells a repeated append of this claim from the claim of a doubled command.
    this.claims += 1;
    const metadata = { actor: `executor:${this.holder()}`, requestId: `claim-${this.claims}` };
    const event = newEvent({ ...command, metadata }, task.path, task.version + 1, { type: 'TaskTransitioned', data }, false);
    const outcome = await this.append([event]);
    return outcome.status !== 'conflict' ? new ClaimedTask(this, attempt, task.version + 1, this.holder()) : undefined;
  }

  /** A task whose attempt could not even begin: claimed and failed in one append. */
  async refuse(command: StepCommand, task: PreparedAttempt['task'], error: TaskTransitioned['error']): Promise<void> {
    const at = this.now();
    const begin: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: task.attempt, at, executor: this.holder() };
    const fail: TaskTransitioned = { transition: 'fail', from: 'in_progress', to: 'failed', attempt: task.attempt, at, executor: this.holder(), ...(error && { error }) };
    const events = [begin, fail].map((data, index) => this.event(command, task.path, task.version + 1 + index, { type: 'TaskTransitioned', data }, index === 1));
    await this.append(events);
  }

  /** Appends however long it takes: the outcome of work that was done must not be lost. */
  async append(events: readonly NewEvent[]): Promise<AppendOutcome> {
    for (let delayMs = UNAVAILABLE_DELAY_MS.first; ; delayMs = Math.min(delayMs * 2, UNAVAILABLE_DELAY_MS.longest)) {
      try {
        return await this.log.append(events);
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        this.onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  at(): number {
    return this.now();
  }

  event({ runId, namespace }: StepCommand, task: PreparedAttempt['task']['path'], version: number, event: DomainEvent, decide: boolean): NewEvent {
    return newEvent({ runId, namespace, metadata: { actor: `executor:${this.holder()}` } }, task, version, event, decide);
  }
}

export const startFacts = ({ input, effect }: PreparedAttempt): Pick<TaskTransitioned, 'input' | 'effect'> => ({
  ...(input !== undefined && { input }),
  ...(effect && { effect }),
});

const TRANSITION_OF = { completed: 'complete', failed: 'fail', escalated: 'escalate' } as const;

/** A task that this executor holds. Its version is the fence: after a conflict nothing more is written. */
export class ClaimedTask implements AttemptRecorder {
  private effects: JsonObject;
  private appending: Promise<void> = Promise.resolve();

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

  async recordSideEffect(effect: JsonObject): Promise<void> {
    await this.write((at) => ({ type: 'SideEffectRecorded', data: { attempt: this.attempt.task.attempt, effect, at } }));
    this.effects = { ...this.effects, ...effect };
  }

  async recordVerification(answer: 'applied' | 'not_applied' | 'unknown', result: Json): Promise<void> {
    await this.write((at) => ({ type: 'EffectVerified', data: { attempt: this.attempt.task.attempt, answer, result, at } }));
    if (answer === 'not_applied') this.effects = {};
  }

  /**
   * The attempt's outcome, and in the same event the start of the segment's next task. Returns the next task as held by
   * this executor, or `undefined` when there is none. Rejects with `AttemptFenced`.
   */
  async finish(result: AttemptResult, next: PreparedAttempt | undefined): Promise<ClaimedTask | undefined> {
    const follows = result.status === 'completed' ? next : undefined;
    const data: TaskTransitioned = {
      transition: TRANSITION_OF[result.status],
      from: 'in_progress',
      to: result.status,
      attempt: this.attempt.task.attempt,
      at: this.recorder.at(),
      executor: this.holder,
      ...(result.status === 'completed' ? { output: result.output } : { error: result.error }),
      ...(this.attempt.task.verify !== undefined && { verify: this.attempt.task.verify }),
      ...(follows && { starts: startedTask(follows) }),
    };
    await this.appending;
    await this.append({ type: 'TaskTransitioned', data }, follows === undefined);
    return follows && new ClaimedTask(this.recorder, follows, follows.task.version, this.holder);
  }

  /** One after another, whatever the action does at the same time. */
  private write(event: (at: number) => DomainEvent): Promise<void> {
    const written = this.appending.then(() => this.append(event(this.recorder.at()), false));
    this.appending = written.catch(() => undefined); // the caller gets the rejection
    return written;
  }

  private async append(event: DomainEvent, decide: boolean): Promise<void> {
    const { command, task } = this.attempt;
    const outcome = await this.recorder.append([this.recorder.event(command, task.path, this.version + 1, event, decide)]);
    if (outcome.status === 'conflict') throw new AttemptFenced(task.path);
    this.version += 1;
  }
}

const startedTask = (next: PreparedAttempt): StartedTask => ({ task: next.task.path, attempt: next.task.attempt, ...startFacts(next) });
