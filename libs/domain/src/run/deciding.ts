import { parentPath, type EventMetadata, type NewEvent, type RunId, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { ExpressionError } from '../expressions';
import type { CompiledDefinition } from '../plan/compiled-definition';
import { Emission } from './emission';
import type { ChildRunRequest, ChildRunView, OutgoingSignal, SignalDispatch } from './outgoing';
import type { RunState } from './run.state';

export interface DecideContext {
  /** The decision's time, milliseconds since 1970. */
  readonly now: number;
  /** Whether the executor (`name#incarnation`) can no longer hold an attempt. */
  readonly isLost: (executor: string) => boolean;
  readonly metadata: EventMetadata;
  /**
   * Whether the expressions of this task have been evaluated for longer than that in this decision; absent: never. It is
   * asked while they are, and a yes is recorded as the task's timeout.
   */
  readonly isTakingLong?: (task: TaskPath, limitMs: number) => boolean;
  /** Why the log cannot hold an event; `undefined`: it can. Absent: it holds everything. */
  readonly refusalOf?: (event: NewEvent) => string | undefined;
  /** How long a `once` effect of a lost executor may still be on its way, milliseconds. */
  readonly quarantineMs: number;
  /**
   * The child runs that `openChildRuns(run)` names, as they are now (`childRunView` of their state); undefined: no such run.
   * When one of them ends, call `lookAtTask` for its parent task and decide the parent again.
   */
  readonly childRun?: (runId: RunId) => ChildRunView | undefined;
  /** What came of signals that an earlier decision wanted delivered; undefined: not delivered yet, or not remembered. */
  readonly dispatched?: (signalId: string) => SignalDispatch | undefined;
}

/** One decision of a planner in the making. */
export class Deciding extends Emission {
  readonly segments: (readonly SegmentTask[])[] = [];
  readonly signals: OutgoingSignal[] = [];
  readonly childRuns: ChildRunRequest[] = [];
  readonly cancelRuns: RunId[] = [];
  readonly planned = new Map<string, number>();

  constructor(
    run: RunState,
    readonly definition: CompiledDefinition,
    readonly context: DecideContext,
  ) {
    super(run, context.now, context.metadata, false);
  }

  /** Values come from expressions and from what tasks gave, so whoever made them fails by them: the run goes on or ends. */
  protected override requireHeld(event: NewEvent): void {
    const refusal = this.context.refusalOf?.(event);
    if (refusal !== undefined) throw new ExpressionError('expression_limit', `the log cannot hold what ${event.task === '' ? 'the run' : event.task} gives: ${refusal}`);
  }

  /** The list or container must be looked at again at this time, or earlier if it said so before. */
  wakeAt(path: TaskPath, at: number): void {
    const known = this.run.wakes.get(path);
    if (known === undefined || at < known) this.run.wakes.set(path, at);
  }

  /** A segment that an executor should have; one that was handed out before is not repeated until the command may be lost. */
  handOut(segment: readonly SegmentTask[]): void {
    const [first] = segment;
    if (first === undefined) return;
    const { path, version } = first;
    const parent = parentPath(path);
    const siblings = this.run.handed.get(parent) ?? new Map();
    this.run.handed.set(parent, siblings);
    const known = siblings.get(path);
    if (known?.version === version && known.isSent) return;
    siblings.set(path, { version, since: known?.version === version ? known.since : this.now, isSent: true });
    this.segments.push(segment);
  }

  /** So many more tasks were planned that follow this type's rule in the run's version of it. */
  countPlanned(type: string, tasks = 1): void {
    const rule = `${type}@${this.run.request.orchestrators?.[type] ?? 1}`;
    this.planned.set(rule, (this.planned.get(rule) ?? 0) + tasks);
  }
}

/** The deepest dirty path, taken out of the set: children are settled before their parents look at them. */
export const takeDeepest = (dirty: Set<TaskPath>): TaskPath | undefined => {
  let deepest: TaskPath | undefined;
  let depth = -1;
  for (const path of dirty) {
    const own = depthOf(path);
    if (own > depth) [deepest, depth] = [path, own];
  }
  if (deepest !== undefined) dirty.delete(deepest);
  return deepest;
};

const SLASH = 47;
const BRACKET = 91;
const depthOf = (path: TaskPath): number => {
  if (path === '') return 0;
  let depth = 1;
  for (let index = 0; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    if (code === SLASH || code === BRACKET) depth += 1;
  }
  return depth;
};
