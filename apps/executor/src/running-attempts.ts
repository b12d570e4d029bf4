import type { RunId, StepCommand } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';
import { LEASE_LOST } from '@foldwork/domain';
import { LRUCache } from 'lru-cache';
import type { PreparedAttempt } from './attempt';

const PAUSES_MAX = 10_000;

/** One attempt that runs here; a later one of the same task is another. */
export class RunningAttempt {
  private readonly controller = new AbortController();

  constructor(
    readonly path: string,
    private readonly onEnd: (attempt: RunningAttempt) => void,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(code: string, reason: string): void {
    this.controller.abort(new ActionError(code, reason));
  }

  end(): void {
    this.onEnd(this);
  }
}

/** The attempts that run here now, and the means to stop them. */
export class RunningAttempts {
  private readonly byRun = new Map<RunId, Set<RunningAttempt>>();
  /** Versions at which runs were paused, the latest ones: their commands may be on the way, or between two tasks. */
  private readonly pauses = new LRUCache<RunId, number>({ max: PAUSES_MAX });
  private count = 0;
  private closed: string | undefined;

  get size(): number {
    return this.count;
  }

  begin({ command: { runId }, task }: PreparedAttempt): RunningAttempt {
    const attempt = new RunningAttempt(task.path, (ended) => this.end(runId, ended));
    const ofRun = this.byRun.get(runId) ?? new Set();
    this.byRun.set(runId, ofRun.add(attempt));
    this.count += 1;
    if (this.closed !== undefined) attempt.abort(LEASE_LOST, this.closed);
    return attempt;
  }

  /** The log has taken these tasks away; whatever they still do is in vain. */
  cancel(runId: RunId, tasks: readonly string[]): void {
    for (const attempt of this.byRun.get(runId) ?? []) if (tasks.includes(attempt.path)) attempt.abort('CANCELED', `${attempt.path} was canceled`);
  }

  /** The tasks in hand may end; what follows them in their commands is not begun. The run goes on with new commands. */
  pause(runId: RunId, version: number): void {
    this.pauses.set(runId, Math.max(version, this.pauses.get(runId) ?? 0));
  }

  isPaused({ runId, runVersion }: StepCommand): boolean {
    return this.pauses.size > 0 && runVersion < (this.pauses.get(runId) ?? 0);
  }

  /** The executor may hold attempts no longer: they end as lost, which says nothing against their tasks. */
  abortAll(reason: string): void {
    for (const ofRun of this.byRun.values()) for (const attempt of ofRun) attempt.abort(LEASE_LOST, reason);
  }

  /** As well those whose claims are still on their way. */
  close(reason: string): void {
    this.closed = reason;
    this.abortAll(reason);
  }

  private end(runId: RunId, attempt: RunningAttempt): void {
    const ofRun = this.byRun.get(runId);
    if (ofRun?.delete(attempt) !== true) return;
    this.count -= 1;
    if (ofRun.size === 0) this.byRun.delete(runId);
  }
}
