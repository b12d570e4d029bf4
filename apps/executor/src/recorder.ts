import {
  inTrace, LogUnavailable, newEvent,
  type AppendOutcome, type DomainEvent, type EventLog, type EventMetadata, type EventSource, type FailureDetail, type NewEvent, type SegmentTask, type StepCommand, type TaskPath,
} from '@foldwork/events';
import { refusedTask } from '@foldwork/domain';
import type { ExecutionLease } from './execution-lease';

/** The attempt was taken away: canceled, or its lease given up. Nothing of it may be recorded any more. */
export class AttemptFenced extends Error {
  constructor(task: string) {
    super(`the attempt of ${task} was taken away`);
    this.name = 'AttemptFenced';
  }
}

const UNAVAILABLE_DELAY_MS = { first: 50, longest: 1_000 };

/** Who writes what where. */
export interface Entry {
  readonly command: StepCommand;
  readonly task: TaskPath;
  readonly version: number;
  readonly event: DomainEvent;
  /** `name#incarnation`. */
  readonly holder: string;
  readonly decide: boolean;
}

/** Everything that this executor appends, with patience: an outcome that cannot be written now is written when the store is back. */
export class Recorder {
  private claims = 0;

  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly lease: Pick<ExecutionLease, 'holder' | 'holds'>,
    private readonly now: () => number,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  get holder(): string {
    return this.lease.holder;
  }

  /** Whether what was claimed by this holder is still this executor's. */
  holds(holder: string): boolean {
    return this.lease.holds(holder);
  }

  at(): number {
    return this.now();
  }

  /**
   * Claims something at its expected version; false: somebody else has it. Its own number tells a repeated append of this
   * claim from the claim of a doubled command. Rejects with `LogUnavailable` when the lease ends before the store answers.
   */
  async claim(entry: Omit<Entry, 'decide'>): Promise<boolean> {
    this.claims += 1;
    const event = asNewEvent({ ...entry, decide: false }, { requestId: `claim-${this.claims}` });
    const outcome = await this.append([...planOf(entry.command), event], () => this.holds(entry.holder));
    return outcome.status !== 'conflict';
  }

  /** All together or none. False: a version is taken, whoever writes here has lost the attempt, or the run has moved. */
  async record(...entries: readonly Entry[]): Promise<boolean> {
    return (await this.append(entries.map((entry) => asNewEvent(entry)))).status !== 'conflict';
  }

  /** A task whose attempt could not even begin: claimed and failed in one append. */
  async refuse(command: StepCommand, task: SegmentTask, error: FailureDetail): Promise<void> {
    const { holder } = this;
    await this.append([...planOf(command), ...refusedTask(sourceOf(command, holder), task, error, { at: this.now(), executor: holder })]);
  }

  /** Appends however long it takes, or while it is still wanted: work that was done must not be lost. */
  private async append(events: readonly NewEvent[], isWanted: () => boolean = () => true): Promise<AppendOutcome> {
    for (let delayMs = UNAVAILABLE_DELAY_MS.first; ; delayMs = Math.min(delayMs * 2, UNAVAILABLE_DELAY_MS.longest)) {
      try {
        return await this.log.append(events);
      } catch (error) {
        if (!(error instanceof LogUnavailable) || !isWanted()) throw error;
        this.onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}

/** Comes into the log with the first claim or not at all: then somebody has written to the run since. */
const planOf = ({ plan = [] }: StepCommand): readonly NewEvent[] => plan;

const sourceOf = ({ runId, namespace, traceparent }: StepCommand, holder: string, more: Omit<EventMetadata, 'actor'> = {}): EventSource =>
  ({ runId, namespace, metadata: inTrace({ actor: `executor:${holder}`, ...more }, traceparent) });

const asNewEvent = ({ command, task, version, event, holder, decide }: Entry, more?: Omit<EventMetadata, 'actor'>): NewEvent =>
  newEvent(sourceOf(command, holder, more), task, version, event, decide);
