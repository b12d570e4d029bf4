import type { RunId } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';
import { LEASE_LOST } from '@foldwork/domain';
import type { PreparedAttempt } from './attempt';

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
  /** How many segments of a run are being worked through here. */
  private readonly segments = new Map<RunId, number>();
  /** Only runs with a segment here: between two of its tasks there is no attempt, and a pause must not be lost there. */
  private readonly pausing = new Set<RunId>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** From before its first claim to its end, which the caller tells by the function that it gets. */
  beginSegment(runId: RunId): () => void {
    this.segments.set(runId, (this.segments.get(runId) ?? 0) + 1);
    return () => this.endSegment(runId);
  }

  begin({ command: { runId }, task }: PreparedAttempt): RunningAttempt {
    const attempt = new RunningAttempt(task.path, (ended) => this.end(runId, ended));
    const ofRun = this.byRun.get(runId) ?? new Set();
    this.byRun.set(runId, ofRun.add(attempt));
    this.count += 1;
    return attempt;
  }

  /** The log has taken these tasks away; whatever they still do is in vain. */
  cancel(runId: RunId, tasks: readonly string[]): void {
    for (const attempt of this.byRun.get(runId) ?? []) if (tasks.includes(attempt.path)) attempt.abort('CANCELED', `${attempt.path} was canceled`);
  }

  /** The tasks in hand may end; what follows them in their segments waits until the run goes on. */
  pause(runId: RunId): void {
    if (this.segments.has(runId)) this.pausing.add(runId);
  }

  isPausing(runId: RunId): boolean {
    return this.pausing.has(runId);
  }

  /** The executor may hold attempts no longer: they end as lost, which says nothing against their tasks. */
  abortAll(reason: string): void {
    for (const ofRun of this.byRun.values()) for (const attempt of ofRun) attempt.abort(LEASE_LOST, reason);
  }

  private end(runId: RunId, attempt: RunningAttempt): void {
    const ofRun = this.byRun.get(runId);
    if (ofRun?.delete(attempt) !== true) return;
    this.count -= 1;
    if (ofRun.size === 0) this.byRun.delete(runId);
  }

  private endSegment(runId: RunId): void {
    const left = (this.segments.get(runId) ?? 1) - 1;
    if (left > 0) return void this.segments.set(runId, left);
    this.segments.delete(runId);
    this.pausing.delete(runId);
  }
}
