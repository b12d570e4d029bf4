import {
  openEvent, RUN_STREAM, type DomainEvent, type RecordedEvent, type RunId, type TaskPath, type TaskStatus,
} from '@foldwork/events/contracts';
import { readTransitionHead, type ReadTransitionHead, type TaskTransitionHead } from '@foldwork/read-models';
import type { Metrics } from './metric';
import type { OpenRuns, RunClock } from './open-runs';
import type { Tally } from './tally';

/**
 * Events → metrics. The clocks of open runs are the only state; they are the same however often an event is seen, so
 * reading a run again after a restart (into a tally that is thrown away) brings them back.
 */
export class MetricsProjection {
  constructor(
    private readonly metrics: Metrics,
    private readonly open: OpenRuns,
    private readonly readHead: ReadTransitionHead = readTransitionHead,
  ) {}

  /** Runs of these events whose beginning was not seen, because it lies before the last start of this process. */
  unknownRuns(events: readonly RecordedEvent[]): RunId[] {
    const unknown = new Set<RunId>();
    const begun = new Set<RunId>();
    for (const { runId, type } of events) {
      if (type === 'RunRequested') begun.add(runId);
      else if (TIMED.has(type) && !begun.has(runId) && !this.open.has(runId)) unknown.add(runId);
    }
    return [...unknown];
  }

  count(tally: Tally, events: readonly RecordedEvent[]): void {
    for (const event of events) {
      if (event.type === 'TaskTransitioned') this.countTransition(tally, event);
      else if (COUNTED.has(event.type)) this.countOther(tally, event.runId, openEvent(event), event.task);
    }
  }

  private countOther(tally: Tally, runId: RunId, event: DomainEvent, task: TaskPath): void {
    const { metrics, open } = this;
    switch (event.type) {
      case 'RunRequested':
        open.begin(runId, event.data.at, event.data.orchestrators);
        tally.count(metrics.queued);
        tally.count(metrics.runStatus('pending'));
        return;
      case 'RunPlanned':
        open.get(runId)?.listIsDue(RUN_STREAM, event.data.at);
        for (const { type } of event.data.tasks) this.countPlanned(tally, runId, type);
        tally.count(metrics.runStatus('running'));
        return;
      case 'RunRetried':
        open.begin(runId, event.data.at).listIsDue(RUN_STREAM, event.data.at);
        tally.count(metrics.retries);
        tally.count(metrics.runStatus('running'));
        return;
      case 'RunCompleted':
        return this.endRun(tally, runId, 'succeeded', event.data.at);
      case 'RunFailed':
        return this.measureEnd(tally, runId, event.data.error.code === 'TASK_ESCALATED' ? 'escalated' : 'failed', event.data.at);
      case 'RunCanceled':
        return this.endRun(tally, runId, 'canceled', event.data.at);
      case 'RunRolledBack':
        return this.endRun(tally, runId, 'rolled_back', event.data.at);
      case 'ChildPlanned':
        return this.countPlanned(tally, runId, event.data.type);
      case 'EffectVerified':
        if (task !== RUN_STREAM) tally.count(metrics.verification(event.data.answer));
        return;
      default:
        return;
    }
  }

  private endRun(tally: Tally, runId: RunId, status: string, at: number): void {
    this.measureEnd(tally, runId, status, at);
    this.open.forget(runId);
  }

  /** A failed run may be retried: it keeps its clock, which knows the rules that it follows. */
  private measureEnd(tally: Tally, runId: RunId, status: string, at: number): void {
    const clock = this.open.get(runId);
    tally.count(this.metrics.runStatus(status));
    if (clock !== undefined) tally.time(this.metrics.runDuration(status), Math.max(0, at - clock.requestedAt));
  }

  private countPlanned(tally: Tally, runId: RunId, type: string, tasks = 1): void {
    tally.count(this.metrics.planned(type, this.open.get(runId)?.orchestrators?.[type] ?? 1), tasks);
  }

  private countTransition(tally: Tally, { runId, task, data }: RecordedEvent): void {
    const head = this.readHead(data);
    const clock = this.open.get(runId);
    tally.count(this.metrics.taskStatus(head.to));
    if (head.transition === 'retry') tally.count(this.metrics.retries);
    if (head.children !== undefined) {
      const { tasks = [], itemType, childCount } = head.children;
      clock?.listIsDue(task, head.at);
      for (const { type } of tasks) this.countPlanned(tally, runId, type);
      if (itemType !== undefined && childCount > 0) this.countPlanned(tally, runId, itemType, childCount);
    }
    if (STARTS.has(head.to) && !STARTS.has(head.from)) this.start(tally, clock, task, head);
    else if (ENDS.has(head.to)) this.end(tally, clock, task, head);
    if (head.starts === undefined) return;
    tally.count(this.metrics.taskStatus('in_progress'));
    this.start(tally, clock, head.starts.task as TaskPath, { at: head.at, attempt: head.starts.attempt }); // written by newEvent from a TaskPath
  }

  private start(tally: Tally, clock: RunClock | undefined, task: TaskPath, { at, attempt }: Pick<TaskTransitionHead, 'at' | 'attempt'>): void {
    tally.count(this.metrics.step(task).started);
    // A later attempt waits for its retry delay, which is no queue.
    if (attempt === 1) tally.time(this.metrics.taskQueue, clock?.queuedMs(task, at));
    clock?.start(task, at);
  }

  private end(tally: Tally, clock: RunClock | undefined, task: TaskPath, { to, at }: TaskTransitionHead): void {
    const step = this.metrics.step(task);
    const durationMs = clock?.end(task, at);
    if (to === 'completed') tally.count(step.succeeded);
    else if (to === 'skipped') tally.count(step.skipped);
    else if (to !== 'canceled') tally.count(step.failed);
    tally.time(this.metrics.taskDuration, durationMs);
    tally.time(step.duration, durationMs);
  }
}

const STARTS: ReadonlySet<TaskStatus> = new Set<TaskStatus>(['in_progress', 'waiting']);
const ENDS: ReadonlySet<TaskStatus> = new Set<TaskStatus>(['completed', 'failed', 'escalated', 'timed_out', 'canceled', 'skipped']);

/** Events besides `TaskTransitioned` that count; the others are not even parsed. */
const COUNTED: ReadonlySet<string> = new Set<DomainEvent['type']>([
  'RunRequested', 'RunPlanned', 'RunRetried', 'RunCompleted', 'RunFailed', 'RunCanceled', 'RunRolledBack', 'EffectVerified', 'ChildPlanned',
]);

/** Events that mean something only together with an earlier one: the beginning of a duration, the rules of the run. */
const TIMED: ReadonlySet<string> = new Set<DomainEvent['type']>([
  'TaskTransitioned', 'RunPlanned', 'RunCompleted', 'RunFailed', 'RunCanceled', 'RunRolledBack', 'RunRetried', 'ChildPlanned',
]);
