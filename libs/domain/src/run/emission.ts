import {
  inTrace, newEvent, RUN_STREAM,
  type DomainEvent, type EventMetadata, type NewEvent, type TaskPath, type TaskTransition, type TaskTransitioned,
} from '@foldwork/events/contracts';
import { nextStatus } from '../task/task-machine';
import { applyEvent } from './fold-run';
import type { RunState } from './run.state';

/** What a decision may say of a transition; the rest follows from the state. */
export type TransitionFacts = Partial<Omit<TaskTransitioned, 'transition' | 'from' | 'to' | 'at'>>;

/**
 * Events in the making. Every event is applied to the state as soon as it is decided, so that what follows sees it; if
 * the append is refused, the state must be thrown away and folded anew from the log.
 */
export class Emission {
  readonly events: NewEvent[] = [];
  private readonly metadata: EventMetadata;

  constructor(
    readonly run: RunState,
    /** The decision's time, milliseconds since 1970. */
    readonly now: number,
    metadata: EventMetadata,
    /** Whether a planner has to look at the run because of these events. */
    private readonly decide: boolean,
  ) {
    this.metadata = inTrace(metadata, run.lineage?.traceparent);
  }

  /** A refused transition is a bug of a rule: the table is the last word. */
  transition(path: TaskPath, transition: TaskTransition, facts: TransitionFacts & { readonly to?: 'failed' } = {}): void {
    const task = this.run.tasks.get(path);
    const from = task?.status ?? 'pending';
    const to = nextStatus(from, transition);
    if (to === undefined) throw new Error(`TRANSITION_NOT_ALLOWED: ${transition} of ${path} in ${from}`);
    const data: TaskTransitioned = { transition, from, to, attempt: task?.attempt ?? 0, at: this.now, ...facts };
    this.emit(path, { type: 'TaskTransitioned', data });
  }

  emit(path: TaskPath, event: DomainEvent, decide = this.decide): void {
    const version = (path === RUN_STREAM ? this.run.version : (this.run.tasks.get(path)?.version ?? 0)) + 1;
    const { runId, namespace } = this.run;
    const made = newEvent({ runId, namespace, metadata: this.metadata }, path, version, event, decide);
    this.requireHeld(made);
    this.events.push(made);
    applyEvent(this.run, { runId, task: path, version, namespace }, () => event);
  }

  /** Throws when the log could not hold the event. Nothing has happened then. */
  protected requireHeld(_event: NewEvent): void {}

  emitRun(event: DomainEvent): void {
    this.emit(RUN_STREAM, event);
  }

  /** The run ends: planners hear of it where another run waits for it, or for its place in a lane. */
  emitEnd(event: DomainEvent): void {
    const { lane, parent } = this.run.request;
    this.emit(RUN_STREAM, event, this.decide || lane !== undefined || parent !== undefined);
  }
}
