import { awaitedKey, RUN_STREAM, type NewEvent, type PlacedEvent, type RecordedEvent, type RunId, type SegmentTask } from '@foldwork/events';
import { foldEvent, type ChildRunView, type CompiledDefinition, type RunState, type SignalDispatch } from '@foldwork/domain';

/**
 * A run that a planner holds in memory. Events that ask for no decision are kept as they came and folded when somebody
 * looks at the state: most runs end without anybody having to.
 */
export class RunEntry {
  readonly runId: RunId;
  /** Commands on their way, by first task and version: when to send them again if nobody has claimed by then. */
  readonly sent = new Map<string, SentCommand>();
  /** What came of signals that it sent, and how its child runs stand: not in the log, asked for anew after a restart. */
  readonly dispatched = new Map<string, SignalDispatch>();
  readonly childRuns = new Map<RunId, ChildRunView>();
  /** How long what is known of child runs is believed. */
  childRunsUntil: number | undefined;
  /** It was heard of before the log was read that far, so nothing has happened to it yet. */
  isNew = false;
  /** Present while decisions of this run are being made: settles when the last one that was asked for is in the log. */
  deciding: Promise<void> | undefined;
  /** Something changed since the last decision began. */
  again = false;
  /** The moment that the next decision is for, when that is later than now. */
  dueAt = 0;
  private unfolded: RecordedEvent[] = [];
  /** Is on its way to the log with the first command: what is folded is ahead of the log. */
  private ahead: { readonly plan: NewEvent; readonly until: number; readonly isOvertaken: boolean } | undefined;
  private onNews: (() => void) | undefined;
  private fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly folded: RunState,
    readonly definition: CompiledDefinition,
  ) {
    this.runId = folded.runId;
  }

  /** With every event taken in so far. Throws what folding throws, each time: a state that lacks an event is worth nothing. */
  get run(): RunState {
    if (this.fault !== undefined) throw this.fault.error;
    if (this.unfolded.length > 0) this.fold();
    return this.folded;
  }

  private fold(): void {
    try {
      for (const event of this.unfolded) foldEvent(this.folded, event);
      this.unfolded = [];
    } catch (error) {
      this.fault = { error };
      throw error;
    }
  }

  take(event: RecordedEvent): void {
    if (event.type === 'RunResumed') this.sent.clear(); // executors drop what they had not begun
    this.confirm(event);
    this.unfolded.push(event);
    if (this.onNews !== undefined && this.isNews(event)) this.onNews();
    if (this.unfolded.length >= UNFOLDED_MAX) void this.run;
  }

  /** The plan comes into the log with the claim of the first task, by this moment or not at all. */
  goAhead(plan: NewEvent, until: number): void {
    this.ahead = { plan, until, isOvertaken: false };
  }

  get isAhead(): boolean {
    return this.ahead !== undefined;
  }

  /** When to stop waiting for the plan to come into the log. */
  get aheadUntil(): number | undefined {
    return this.ahead?.until;
  }

  /** Something else came in place of the plan, or nothing: what is folded is worth nothing. */
  isOvertaken(now: number): boolean {
    return this.ahead !== undefined && (this.ahead.isOvertaken || now >= this.ahead.until);
  }

  private confirm({ task, version, type, data }: RecordedEvent): void {
    const { ahead } = this;
    if (ahead === undefined || task !== RUN_STREAM || version !== ahead.plan.version) return;
    this.ahead = type === ahead.plan.type && data === ahead.plan.data ? undefined : { ...ahead, isOvertaken: true };
  }

  /** What somebody else writes to the run from now on. */
  listen(): News {
    const { eventCount } = this.folded;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.onNews = () => resolve(undefined);
    return { comes: promise, hasCome: () => this.folded.eventCount > eventCount || this.unfolded.some((event) => this.isNews(event)) };
  }

  /** A planner's own events come back too and say nothing new. */
  private isNews({ task, version }: RecordedEvent): boolean {
    return version > (task === RUN_STREAM ? this.folded.version : (this.folded.tasks.get(task)?.version ?? 0));
  }

  /** The run has succeeded, and nobody else has to be told: there is nothing to decide, so nothing to fold. */
  get isDone(): boolean {
    return this.isEnd(this.unfolded.at(-1));
  }

  /** Whether with this event the run succeeds and nobody else has to be told. */
  isEnd(event: PlacedEvent | undefined): boolean {
    const { parent, lane } = this.folded.request;
    return event?.type === 'RunCompleted' && event.task === '' && parent === undefined && lane === undefined && this.folded.childRuns.size === 0;
  }
}

export interface News {
  readonly comes: Promise<undefined>;
  readonly hasCome: () => boolean;
}

const UNFOLDED_MAX = 200;

export interface SentCommand {
  readonly path: SegmentTask['path'];
  readonly version: number;
  readonly times: number;
  readonly resendAt: number;
}

export const sentKey = ({ path, version }: Pick<SegmentTask, 'path' | 'version'>): string => `${path}@${version}`;

/** Forgets commands that were claimed, or that something else overtook. */
export const forgetClaimed = ({ run, sent }: RunEntry): void => {
  for (const [key, { path, version }] of sent) {
    const task = run.tasks.get(path);
    if (task !== undefined && (task.version > version || run.executing.has(path))) sent.delete(key);
  }
};

export const nextResend = ({ sent }: RunEntry): number | undefined => {
  let next: number | undefined;
  for (const { resendAt } of sent.values()) if (next === undefined || resendAt < next) next = resendAt;
  return next;
};

/** The signals that the run waits for, as the agenda has them. */
export const awaitedBy = ({ waiting, tasks, namespace }: RunState): string[] =>
  [...waiting].flatMap((path) => (tasks.get(path)?.waitsFor ?? []).map(({ signal, correlationId }) => awaitedKey(namespace, signal, correlationId)));
