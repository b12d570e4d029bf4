import { childPath, RUN_STREAM, type Json, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import type { CompiledList, CompiledTask } from '../plan/compiled-definition';
import { segmentTask } from './attempts';
import type { Deciding } from './deciding';
import { driveTask } from './drive-task';
import { beginWalk, countVisit, follow, nextSpec, pathOfVisit, visitPath, type ListProgress, type Walk } from './list-walk';
import { taskScope } from './task-scope';

/** A segment is bounded so that a pause, a takeover or a lost executor concerns few tasks. */
const SEGMENT_LIMIT = 50;

/** Walks the list from its first task along the transitions taken, and drives the one whose turn it is. */
export const driveList = (deciding: Deciding, list: CompiledList, base: TaskPath): ListProgress => {
  const walk = beginWalk(list, base);
  for (let spec = nextSpec(walk); spec !== undefined; spec = nextSpec(walk)) {
    const path = visitPath(walk, spec);
    const progress = driveTask(deciding, path, spec, () => overlayOf(deciding, walk));
    if (typeof progress === 'object') {
      deciding.handOut(segmentFrom(deciding, walk, progress));
      return { status: 'open' };
    }
    if (progress === 'open') return { status: 'open' };
    const step = follow(deciding, walk, spec, path, progress);
    if (step !== 'on') return step;
  }
  skipRest(deciding, walk);
  return { status: 'completed' };
};

/** What the transition that led here lays over the next task's `with`. Throws `ExpressionError`. */
const overlayOf = (deciding: Deciding, { from }: Walk): Json | undefined => {
  if (from === undefined || from.outcome === 'skipped') return undefined;
  const { task, spec, outcome } = from;
  if (task.next?.with !== undefined) return task.next.with;
  const template = (outcome === 'failed' ? spec.onError : spec.onSuccess)?.with;
  if (template === undefined) return undefined;
  const scope = taskScope(deciding.run, deciding.definition, task.path, template.references);
  return template.evaluate({ ...scope, output: task.output ?? null });
};

/** The task and those behind it that need no decision in between. */
const segmentFrom = (deciding: Deciding, walk: Walk, first: SegmentTask): SegmentTask[] => {
  const segment = [first];
  const { tasks } = walk.list;
  let before = nextSpec(walk);
  for (let index = tasks.indexOf(before as CompiledTask) + 1; index < tasks.length && segment.length < SEGMENT_LIMIT; index += 1) {
    const spec = tasks[index] as CompiledTask; // index < length
    if (walk.notTaken.has(spec.id)) continue;
    const path = pathOfVisit(walk.base, spec.id, countVisit(walk, spec.id));
    if (before === undefined || !leadsOn(before) || !joins(spec) || isBegun(deciding, path)) break;
    segment.push(segmentTask(deciding, path, spec));
    before = spec;
  }
  return before !== undefined && endsRun(deciding, walk, before, segment.length) ? withEnd(deciding, segment) : segment;
};

/** Nothing is left to decide once the segment is through: it reaches the end of the run's own list, and nothing is skipped. */
const endsRun = ({ run }: Deciding, { list, base, visits }: Walk, last: CompiledTask, length: number): boolean =>
  base === RUN_STREAM && !run.paused && last === list.tasks.at(-1) && visits.size + length - 1 === list.tasks.length && last.sleepMs === 0 && last.onSuccess === undefined;

const withEnd = ({ run }: Deciding, segment: readonly SegmentTask[]): SegmentTask[] =>
  segment.map((task, index) => (index === segment.length - 1 ? { ...task, endsRun: { version: run.version + 1 } } : task));

const leadsOn = (spec: CompiledTask): boolean => spec.sleepMs === 0 && !spec.final && spec.onSuccess === undefined;
const joins = (spec: CompiledTask): boolean => spec.executed && spec.when === undefined;
const isBegun = (deciding: Deciding, path: TaskPath): boolean => {
  const task = deciding.run.tasks.get(path);
  return task !== undefined && (task.status !== 'pending' || task.attempt > 0);
};

/** Tasks that no transition led to are skipped once the list is through. */
const skipRest = (deciding: Deciding, { list, base, visits }: Walk): void => {
  if (visits.size === list.tasks.length) return;
  for (const { id } of list.tasks) {
    const path = childPath(base, id);
    if (!visits.has(id) && deciding.run.tasks.get(path)?.status === 'pending') deciding.transition(path, 'skip');
  }
};
