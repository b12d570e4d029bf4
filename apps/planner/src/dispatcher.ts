import { BusUnavailable, stringifyJson, type Bus, type CancelHint, type NewEvent, type SegmentTask } from '@foldwork/events';
import { stepCommands, type RunDecision } from '@foldwork/domain';
import { sentKey, type RunEntry } from './run-entry';

/** First wait for a claim; doubled each time, because a queue that is merely long must not be made longer. */
const CLAIM_WAIT_MS = 5_000;
const CLAIM_WAIT_MAX_MS = 60_000;
/** After a publish that failed. */
const REPUBLISH_MS = 500;

export interface DispatcherOptions {
  readonly bus: Bus;
  readonly now: () => number;
  readonly epoch: string;
  readonly onTrouble: (error: unknown) => void;
  /** The run must be looked at again at this time. */
  readonly wake: (entry: RunEntry, at: number) => void;
  /** The task cannot be sent to anybody: it fails. With the plan, if that has not come into the log yet. */
  readonly refuse: (entry: RunEntry, task: SegmentTask, why: string, plan: readonly NewEvent[]) => Promise<void>;
}

const isCancellation = ({ type, data }: NewEvent): boolean => type === 'TaskTransitioned' && /"transition":"(cancel|timeOut)"/.test(data);

/** Puts what executors should run on the bus. Commands may be lost or doubled; what counts is the claim in the log. */
export class Dispatcher {
  constructor(private readonly options: DispatcherOptions) {}

  /** Sends the segments that are not on their way already; a plan goes with the only one. */
  send(entry: RunEntry, { segments, runVersion }: Pick<RunDecision, 'segments' | 'runVersion'>, plan?: readonly NewEvent[]): void {
    const now = this.options.now();
    const fresh = segments.filter(([first]) => first !== undefined && !this.isOnItsWay(entry, first, now));
    if (fresh.length === 0) return;
    for (const [first] of fresh) if (first !== undefined) this.note(entry, first, now);
    for (const command of stepCommands(entry.run, entry.definition, { segments: fresh, runVersion }, this.options.epoch)) {
      this.options.bus.publishStep(command.pool, command.runId, stringifyJson(plan === undefined ? command : { ...command, plan })).catch((error: unknown) => this.failed(entry, command.segments, error, plan));
    }
  }

  /** Tells executors at once of attempts that were taken from them, and of a pause; the log would tell them at their next append. */
  cancel({ run, sent }: RunEntry, events: readonly NewEvent[]): void {
    const tasks = events.filter(isCancellation).map(({ task }) => task);
    const isToPause = run.paused && run.executing.size + sent.size > 0;
    if (tasks.length === 0 && !isToPause) return;
    const hint: CancelHint = { runId: run.runId, tasks, ...(isToPause && { pausedAt: run.version }) };
    this.options.bus.hint('cancel', stringifyJson(hint));
  }

  private refuse(entry: RunEntry, task: SegmentTask, why: string, plan: readonly NewEvent[]): void {
    this.options.refuse(entry, task, why, plan).catch(this.options.onTrouble); // it is tried again when the command is
  }

  private isOnItsWay({ sent }: RunEntry, first: SegmentTask, now: number): boolean {
    const known = sent.get(sentKey(first));
    return known !== undefined && known.resendAt > now;
  }

  private note({ sent }: RunEntry, { path, version }: SegmentTask, now: number): void {
    const key = sentKey({ path, version });
    const times = (sent.get(key)?.times ?? 0) + 1;
    sent.set(key, { path, version, times, resendAt: now + Math.min(CLAIM_WAIT_MS * 2 ** (times - 1), CLAIM_WAIT_MAX_MS) });
  }

  private failed(entry: RunEntry, segments: readonly (readonly SegmentTask[])[], error: unknown, plan: readonly NewEvent[] = []): void {
    this.options.onTrouble(error);
    if (error instanceof BusUnavailable && error.code === 'BUS_TOO_LARGE') for (const [first] of segments) if (first !== undefined) this.refuse(entry, first, error.message, plan);
    const at = this.options.now() + REPUBLISH_MS;
    for (const [first] of segments) {
      const known = first && entry.sent.get(sentKey(first));
      if (first !== undefined && known !== undefined) entry.sent.set(sentKey(first), { ...known, times: known.times - 1, resendAt: at });
    }
    this.options.wake(entry, at);
  }
}
