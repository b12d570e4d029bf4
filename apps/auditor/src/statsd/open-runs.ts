import { parentPath, type RunId, type RunRequested, type TaskPath } from '@foldwork/events';

/** When the parts of one run began; what durations are measured from. Milliseconds since 1970. */
export class RunClock {
  private readonly startedAt = new Map<string, number>();
  private readonly dueSince = new Map<string, number>();

  /** `orchestrators`: versions of the rules that the run follows, as in `RunRequested`. */
  constructor(readonly requestedAt: number, readonly orchestrators: RunRequested['orchestrators']) {}

  /** Tasks of the list may start from now on: its container began, or the task before has ended. */
  listIsDue(list: TaskPath, at: number): void {
    this.dueSince.set(list, at);
  }

  start(task: TaskPath, at: number): void {
    this.startedAt.set(task, at);
  }

  /** How long the task could have started already; `undefined` when nobody saw it become due. */
  queuedMs(task: TaskPath, at: number): number | undefined {
    const due = this.dueSince.get(parentPath(task));
    return due === undefined ? undefined : Math.max(0, at - due);
  }

  /** How long the attempt took; `undefined` when nobody saw it start. */
  end(task: TaskPath, at: number): number | undefined {
    const started = this.startedAt.get(task);
    this.startedAt.delete(task);
    this.listIsDue(parentPath(task), at);
    return started === undefined ? undefined : Math.max(0, at - started);
  }
}

/** The clocks of runs that have not ended for good, the least recently begun forgotten first. */
export class OpenRuns {
  private readonly clocks = new Map<RunId, RunClock>();

  constructor(private readonly runsMax: number) {}

  get(runId: RunId): RunClock | undefined {
    return this.clocks.get(runId);
  }

  has(runId: RunId): boolean {
    return this.clocks.has(runId);
  }

  begin(runId: RunId, at: number, orchestrators = this.clocks.get(runId)?.orchestrators): RunClock {
    const clock = new RunClock(at, orchestrators);
    this.clocks.set(runId, clock);
    if (this.clocks.size > this.runsMax) this.forget(this.clocks.keys().next().value);
    return clock;
  }

  forget(runId: RunId | undefined): void {
    if (runId !== undefined) this.clocks.delete(runId);
  }
}
