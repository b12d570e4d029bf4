import type { EventMetadata, RunId, SegmentTask, TaskPath } from '@foldwork/events/contracts';
import type { CompiledDefinition } from '../plan/compiled-definition';
import { Emission } from './emission';
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

/** One decision of a planner in the making. */
export class Deciding extends Emission {
  readonly segments: SegmentTask[][] = [];

  constructor(
    run: RunState,
    readonly definition: CompiledDefinition,
    readonly context: DecideContext,
  ) {
    super(run, context.now, context.metadata, false);
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
