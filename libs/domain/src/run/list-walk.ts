import { childPath, taskPath, type FailureDetail, type TaskPath } from '@foldwork/events/contracts';
import type { CompiledList, CompiledTask } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import type { Deciding } from './deciding';
import type { TaskState } from './run.state';

/** How a list of tasks that come one after another stands. */
export type ListProgress =
  | { readonly status: 'open' }
  | { readonly status: 'completed' }
  /** `error`: the list itself is at fault, not its task. */
  | { readonly status: 'failed'; readonly task: TaskState; readonly error?: FailureDetail };

/** The way through a list so far. */
export interface Walk {
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


export const beginWalk = (list: CompiledList, base: TaskPath): Walk => ({ list, base, visits: new Map(), notTaken: new Set(), index: 0 });

export const nextSpec = ({ list, notTaken, index }: Walk): CompiledTask | undefined => {
  let at = index;
  while (at < list.tasks.length && notTaken.has(list.tasks[at]?.id ?? '')) at += 1;
  return list.tasks[at];
};

/** From an ended task to the one that its end leads to. */
export const follow = (deciding: Deciding, walk: Walk, spec: CompiledTask, path: TaskPath, end: 'done' | 'failed'): 'on' | ListProgress => {
  const task = deciding.run.tasks.get(path) as TaskState; // done and failed tasks are in the state
  const outcome = task.status === 'skipped' ? 'skipped' : end;
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

export const countVisit = ({ visits }: Walk, id: string): number => (visits.get(id) ?? 0) + 1;

/** `check`, then `check#2`, `check#3` each time a loop comes back. */
export const visitPath = (walk: Walk, spec: CompiledTask): TaskPath => {
  const visit = countVisit(walk, spec.id);
  walk.visits.set(spec.id, visit);
  return pathOfVisit(walk.base, spec.id, visit);
};

export const pathOfVisit = (base: TaskPath, id: string, visit: number): TaskPath =>
  visit === 1 ? childPath(base, id) : taskPath(`${childPath(base, id)}#${visit}`);

/** A first visit is planned, unless it is a route that its router did not take. */
const isLaterVisit = ({ visits }: Walk, { id }: CompiledTask): boolean => (visits.get(id) ?? 0) > 1;

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

/**
 * The visit of a loop that the walk has come to and no event speaks of yet. Executors may have been asked for it, and only an
 * event of its own takes it away from them.
 */
export const visitToCome = (deciding: Deciding, list: CompiledList, base: TaskPath): TaskPath | undefined => {
  const walk = beginWalk(list, base);
  for (let spec = nextSpec(walk); spec !== undefined; spec = nextSpec(walk)) {
    const path = visitPath(walk, spec);
    const task = deciding.run.tasks.get(path);
    if (task === undefined) return spec.executed && isLaterVisit(walk, spec) ? path : undefined;
    if (task.status === 'pending' || isActive(task.status)) return undefined;
    if (follow(deciding, walk, spec, path, task.status === 'completed' || task.status === 'skipped' ? 'done' : 'failed') !== 'on') return undefined;
  }
  return undefined;
};
