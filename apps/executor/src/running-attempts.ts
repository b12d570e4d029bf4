import type { RunId } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';
import type { PreparedAttempt } from './attempt';

/** The attempts that run here now, and the means to stop them. */
export class RunningAttempts {
  private readonly byRun = new Map<RunId, Map<string, AbortController>>();
  private readonly pausing = new Set<RunId>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  begin({ command, task }: PreparedAttempt): AbortSignal {
    const controller = new AbortController();
    const ofRun = this.byRun.get(command.runId) ?? new Map<string, AbortController>();
    ofRun.set(task.path, controller);
    this.byRun.set(command.runId, ofRun);
    this.count += 1;
    return controller.signal;
  }

  end({ command, task }: PreparedAttempt): void {
    const ofRun = this.byRun.get(command.runId);
    if (ofRun?.delete(task.path) === true) this.count -= 1;
    if (ofRun?.size !== 0) return;
    this.byRun.delete(command.runId);
    this.pausing.delete(command.runId);
  }

  /** The log has taken these tasks away; whatever they still do is in vain. */
  cancel(runId: RunId, tasks: readonly string[]): void {
    for (const task of tasks) this.byRun.get(runId)?.get(task)?.abort(new ActionError('CANCELED', `${task} was canceled`));
  }

  /** The tasks in hand may end; what follows them in their segments waits until the run goes on. */
  pause(runId: RunId): void {
    if (this.byRun.has(runId)) this.pausing.add(runId);
  }

  isPausing(runId: RunId): boolean {
    return this.pausing.has(runId);
  }

  /** The lease is over. */
  abortAll(): void {
    for (const ofRun of this.byRun.values()) for (const controller of ofRun.values()) controller.abort(new ActionError('LEASE_LOST', 'the executor lost its lease'));
  }
}
