import { childPath, RUN_STREAM, taskPath, type FailureDetail, type Json, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import type { CompiledList, CompiledTask } from '../plan/compiled-definition';
import { segmentTask } from './attempts';
import type { Deciding } from './deciding';
import { driveTask, type Progress } from './drive-task';
import type { TaskState } from './run.state';
import { taskScope } from './task-scope';

/** How a list of tasks that come one after another stands. */
export type ListProgress =
  | { readonly status: 'open' }
  | { readonly status: 'completed' }
  /** `error`: the list itself is at fault, not its task. */
  | { readonly status: 'failed'; readonly task: TaskState; readonly error?: FailureDetail };

/** A segment is bounded so that a pause, a takeover or a lost executor concerns few tasks. */
const SEGMENT_LIMIT = 50;

/** The way through a list so far. */
interface Walk {
  readonly list: CompiledList;
  readonly base: TaskPath;
  readonly visits: Map<string, number>;
  /** Routes that were not taken: list order does not lead into them, a transition that names them does. */
  readonly notTaken: Set<string>;
  index: number;
  /** The ended task that led here. */
  from?: { readonly task: TaskState; readonly spec: CompiledTask; readonly outcome: Outcome };
}
type Outcome = 'done' | 'skipped' | 'failed';

/** Walks the list from its first task along the transitions taken, and drives the one whose turn it is. */
export const driveList = (deciding: Deciding, list: CompiledList, base: TaskPath): ListProgress => {
  const walk: Walk = { list, base, visits: new Map(), notTaken: new Set(), index: 0 };
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

const nextSpec = ({ list, notTaken, index }: Walk): CompiledTask | undefined => {
  let at = index;
  while (at < list.tasks.length && notTaken.has(list.tasks[at]?.id ?? '')) at += 1;
  return list.tasks[at];
};

/** From an ended task to the one that its end leads to. */
const follow = (deciding: Deciding, walk: Walk, spec: CompiledTask, path: TaskPath, progress: Exclude<Progress, SegmentTask | 'open'>): 'on' | ListProgress => {
  const task = deciding.run.tasks.get(path) as TaskState; // done and failed tasks are in the state
  const outcome = task.status === 'skipped' ? 'skipped' : progress;
  if (outcome === 'failed' && !isHandled(task, spec)) return { status: 'failed', task };
  if (outcome === 'done' && isAsleep(deciding, task, spec, walk.base)) return { status: 'open' };
  const target = targetOf(task, spec, outcome);
  const here = walk.list.indexById.get(spec.id) ?? 0;
  if (target === 'end') walk.index = walk.list.tasks.length;
  else if (target === undefined) walk.index = here + 1;
  else walk.index = walk.list.indexById.get(target) ?? walk.list.tasks.length;
  if (target !== undefined && spec.choosesNext) for (const id of spec.routeTargets) walk.notTaken.add(id);
  if (target !== undefined) walk.notTaken.delete(target);
  walk.from = { task, spec, outcome };
  return walk.index <= here && isOverVisited(walk) ? { status: 'failed', task, error: overVisited(task) } : 'on';
};

/** A failure that a transition deals with does not fail the list. One that waits for a person is not dealt with yet. */
const isHandled = ({ status, next }: TaskState, { onError }: CompiledTask): boolean =>
  (status === 'failed' || status === 'timed_out') && (next !== undefined || onError !== undefined);

const targetOf = (task: TaskState, spec: CompiledTask, outcome: Outcome): string | undefined => {
  if (outcome === 'skipped') return undefined;
  if (outcome === 'failed') return task.next?.task ?? spec.onError?.next;
  if (spec.final) return 'end';
  return task.next?.task ?? (spec.choosesNext ? undefined : spec.onSuccess?.next);
};

const countVisit = ({ visits }: Walk, id: string): number => (visits.get(id) ?? 0) + 1;

/** `check`, then `check#2`, `check#3` each time a loop comes back. */
const visitPath = (walk: Walk, spec: CompiledTask): TaskPath => {
  const visit = countVisit(walk, spec.id);
  walk.visits.set(spec.id, visit);
  return pathOfVisit(walk.base, spec.id, visit);
};

const pathOfVisit = (base: TaskPath, id: string, visit: number): TaskPath =>
  visit === 1 ? childPath(base, id) : taskPath(`${childPath(base, id)}#${visit}`);

/** Only a jump backwards makes a loop, so only its target needs the bound. */
const isOverVisited = (walk: Walk): boolean => {
  const target = walk.list.tasks[walk.index];
  return target !== undefined && (walk.visits.get(target.id) ?? 0) >= (target.maxVisits ?? 1);
};

const overVisited = (task: TaskState): FailureDetail => ({
  code: 'MAX_VISITS',
  message: `the loop behind ${task.path} came back more often than maxVisits allows`,
});

const isAsleep = (deciding: Deciding, task: TaskState, spec: CompiledTask, base: TaskPath): boolean => {
  if (spec.sleepMs === 0) return false;
  const until = (task.endedAt ?? 0) + spec.sleepMs;
  if (deciding.now >= until) return false;
  deciding.wakeAt(base, until);
  return true;
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
