import { childPath, taskPath, type Json, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import type { CompiledList, CompiledTask } from '../plan/compiled-definition';
import type { Deciding } from './deciding';
import { driveTask, segmentTask } from './drive-task';
import type { TaskState } from './run.state';
import { taskScope } from './task-scope';

/** How a list of tasks that come one after another stands. */
export type ListProgress =
  | { readonly status: 'open' }
  | { readonly status: 'completed' }
  | { readonly status: 'failed'; readonly task: TaskState };

/** A segment is bounded so that a pause, a takeover or a lost executor concerns few tasks. */
const SEGMENT_LIMIT = 50;

/** Walks the list from its first task along the transitions taken, and drives the one whose turn it is. */
export const driveList = (deciding: Deciding, list: CompiledList, base: TaskPath): ListProgress => {
  const visits = new Map<string, number>();
  const notTaken = new Set<string>();
  let overlay: Json | undefined;
  for (let index = 0; index < list.tasks.length; ) {
    const spec = list.tasks[index] as CompiledTask; // index < length
    if (notTaken.has(spec.id)) {
      index += 1;
      continue;
    }
    const path = visitPath(base, spec, visits);
    const progress = driveTask(deciding, path, spec, overlay);
    if (progress === 'ready') {
      deciding.segments.push(segmentFrom(deciding, list, index, path, base, overlay));
      return { status: 'open' };
    }
    if (progress === 'open') return { status: 'open' };
    const task = deciding.run.tasks.get(path) as TaskState; // done and failed tasks are in the state
    const target = progress === 'failed' ? errorTarget(task, spec) : successTarget(task, spec);
    if (progress === 'failed' && target === undefined) return { status: 'failed', task };
    if (progress === 'done' && isAsleep(deciding, task, spec, base)) return { status: 'open' };
    if (target === 'end' || (progress === 'done' && spec.final)) break;
    if (target !== undefined) leaveRoutes(spec, target, notTaken);
    overlay = overlayFrom(deciding, task, spec, progress);
    index = target === undefined ? index + 1 : (list.indexById.get(target) ?? list.tasks.length);
    if (index < list.tasks.length && isOverVisited(list.tasks[index] as CompiledTask, visits)) return { status: 'failed', task: overVisited(task) };
  }
  skipRest(deciding, list, base, visits);
  return { status: 'completed' };
};

/** A route not taken is not fallen into by list order either; a transition that names it later still leads there. */
const leaveRoutes = (spec: CompiledTask, taken: string, notTaken: Set<string>): void => {
  for (const id of spec.routeTargets) notTaken.add(id);
  notTaken.delete(taken);
};

/** `check`, then `check#2`, `check#3` each time a loop comes back. */
const visitPath = (base: TaskPath, spec: CompiledTask, visits: Map<string, number>): TaskPath => {
  const visit = (visits.get(spec.id) ?? 0) + 1;
  visits.set(spec.id, visit);
  const path = childPath(base, spec.id);
  return visit === 1 ? path : taskPath(`${path}#${visit}`);
};

const isOverVisited = (spec: CompiledTask, visits: Map<string, number>): boolean =>
  (visits.get(spec.id) ?? 0) >= (spec.maxVisits ?? 1);

const overVisited = (task: TaskState): TaskState => ({
  ...task,
  error: { code: 'MAX_VISITS', message: `a loop came back more often than maxVisits allows (after ${task.path})` },
});

const successTarget = (task: TaskState, spec: CompiledTask): string | undefined => task.next?.task ?? (spec.type === 'router' ? undefined : spec.onSuccess?.next);
const errorTarget = (task: TaskState, spec: CompiledTask): string | undefined =>
  task.status === 'canceled' ? undefined : (task.next?.task ?? spec.onError?.next);

const isAsleep = (deciding: Deciding, task: TaskState, spec: CompiledTask, base: TaskPath): boolean => {
  if (spec.sleepMs === 0 || task.status === 'skipped') return false;
  const until = (task.endedAt ?? 0) + spec.sleepMs;
  if (deciding.now >= until) return false;
  deciding.wakeAt(base, until);
  return true;
};

const overlayFrom = (deciding: Deciding, task: TaskState, spec: CompiledTask, progress: 'done' | 'failed'): Json | undefined => {
  if (task.next?.with !== undefined) return task.next.with;
  const template = (progress === 'failed' ? spec.onError : spec.type === 'router' ? undefined : spec.onSuccess)?.with;
  if (template === undefined) return undefined;
  const scope = taskScope(deciding.run, deciding.definition, task.path, template.references);
  return template.evaluate({ ...scope, output: task.output ?? null });
};

/** The task and those behind it that need no decision in between. */
const segmentFrom = (deciding: Deciding, list: CompiledList, first: number, path: TaskPath, base: TaskPath, overlay?: Json): SegmentTask[] => {
  const segment = [segmentTask(deciding, path, list.tasks[first] as CompiledTask, overlay)];
  for (let index = first + 1; index < list.tasks.length && segment.length < SEGMENT_LIMIT; index += 1) {
    const before = list.tasks[index - 1] as CompiledTask;
    const spec = list.tasks[index] as CompiledTask;
    const nextPath = childPath(base, spec.id);
    if (!runsOn(before) || !joins(spec) || path.includes('#') || isBegun(deciding, nextPath)) break;
    segment.push(segmentTask(deciding, nextPath, spec));
  }
  return segment;
};

const runsOn = (spec: CompiledTask): boolean => spec.sleepMs === 0 && !spec.final && spec.onSuccess === undefined;
const joins = (spec: CompiledTask): boolean => spec.type === 'basic' && spec.when === undefined;
const isBegun = (deciding: Deciding, path: TaskPath): boolean => {
  const task = deciding.run.tasks.get(path);
  return task !== undefined && (task.status !== 'pending' || task.attempt > 0);
};

/** Tasks that no transition led to are skipped once the list is through. */
const skipRest = (deciding: Deciding, list: CompiledList, base: TaskPath, visits: ReadonlyMap<string, number>): void => {
  if (visits.size === list.tasks.length) return;
  for (const { id } of list.tasks) {
    const path = childPath(base, id);
    if (!visits.has(id) && deciding.run.tasks.get(path)?.status === 'pending') deciding.transition(path, 'skip');
  }
};
