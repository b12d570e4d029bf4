import {
  newEvent, RUN_STREAM, taskPath,
  type DomainEvent, type EventMetadata, type NewEvent, type RunId, type SegmentTask, type TaskPath, type TaskTransition, type TaskTransitioned,
} from '@foldwork/events/contracts';
import { nextStatus } from '../task/task-machine';
import type { CompiledDefinition } from '../plan/compiled-definition';
import { applyEvent } from './fold-run';
import type { RunState } from './run.state';

export interface DecideContext {
  /** The decision's time, milliseconds since 1970. */
  readonly now: number;
  /** Whether the executor (`name#incarnation`) can no longer hold an attempt. */
  readonly isLost: (executor: string) => boolean;
  readonly metadata: EventMetadata;
  /** How long a `once` effect of a lost executor may still be on its way, milliseconds. */
  readonly quarantineMs: number;
  /** What is known of child runs that ended. */
  readonly childRun?: (runId: RunId) => RunState | undefined;
}

/** What a decision may say of a transition; the rest follows from the state. */
export type TransitionFacts = Partial<Omit<TaskTransitioned, 'transition' | 'from' | 'to' | 'at'>>;

/**
 * One decision in the making. Every event is applied to the state as soon as it is decided, so that what follows sees
 * it; if the append is refused, the state must be thrown away and folded anew from the log.
 */
export class Deciding {
  readonly events: NewEvent[] = [];
  readonly segments: SegmentTask[][] = [];

  constructor(
    readonly run: RunState,
    readonly definition: CompiledDefinition,
    readonly context: DecideContext,
  ) {}

  get now(): number {
    return this.context.now;
  }

  /** Refused transitions are bugs of a rule: the table is the last word. */
  transition(path: TaskPath, transition: TaskTransition, facts: TransitionFacts = {}): void {
    const task = this.run.tasks.get(path);
    const from = task?.status ?? 'pending';
    const to = nextStatus(from, transition);
    if (to === undefined) throw new Error(`TRANSITION_NOT_ALLOWED: ${transition} of ${path} in ${from}`);
    const data: TaskTransitioned = { transition, from, to, attempt: task?.attempt ?? 0, at: this.now, ...facts };
    this.emit(path, { type: 'TaskTransitioned', data });
  }

  emit(path: TaskPath, event: DomainEvent): void {
    const version = (path === RUN_STREAM ? this.run.version : (this.run.tasks.get(path)?.version ?? 0)) + 1;
    const { runId, namespace } = this.run;
    this.events.push(newEvent({ runId, namespace, metadata: this.context.metadata }, path, version, event, false));
    applyEvent(this.run, { runId, task: path, version, namespace }, () => event);
  }

  emitRun(event: DomainEvent): void {
    this.emit(RUN_STREAM, event);
  }

  /** The list or container must be looked at again at this time, or earlier if it said so before. */
  wakeAt(path: TaskPath, at: number): void {
    const known = this.run.wakes.get(path);
    if (known === undefined || at < known) this.run.wakes.set(path, at);
  }
}

/** The deepest dirty path, taken out of the set: children are settled before their parents look at them. */
export const takeDeepest = (dirty: Set<TaskPath>): TaskPath | undefined => {
  let deepest: TaskPath | undefined;
  for (const path of dirty) if (deepest === undefined || depth(path) > depth(deepest)) deepest = path;
  if (deepest !== undefined) dirty.delete(deepest);
  return deepest;
};

const SEPARATOR = /[/[]/g;
const depth = (path: TaskPath): number => (path === '' ? 0 : 1 + (path.match(SEPARATOR)?.length ?? 0));
export const ROOT = taskPath('');
