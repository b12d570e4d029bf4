import { childPath, type FailureDetail, type Json, type JsonObject, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { taskAt } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import { childFailure } from '../task-types/child-failure';
import type { Directive, Retrying } from '../task-types/orchestrator';
import { plannedChildPath, visitsOf } from './apply-children';
import { carryOut, timeOut } from './carry-out';
import type { Deciding } from './deciding';
import { driveList } from './drive-list';
import { driveTask } from './drive-task';
import type { TaskState } from './run.state';
import { driveScopeRollback } from './scope-rollback';
import { viewOf } from './task-view';
import { overdue, timeLeft, workOnTask } from './work-on-task';

/** Lets an active task look at its children again and does what its rule says, within its time limit. */
export const settleTask = (deciding: Deciding, path: TaskPath): void => {
  const task = deciding.run.tasks.get(path);
  if (task === undefined || !isActive(task.status) || task.executor !== undefined) return;
  if (task.rollback !== undefined) return driveScopeRollback(deciding, path, task.rollback);
  const spec = taskAt(deciding.definition, path);
  const leftMs = timeLeft(task, spec, deciding.now);
  if (leftMs !== undefined && leftMs <= 0) return timeOut(deciding, path, overdue(path, spec));
  if (leftMs !== undefined) deciding.wakeAt(path, deciding.now + leftMs);
  workOnTask(deciding, path, spec, () => advance(deciding, task));
};

const advance = (deciding: Deciding, task: TaskState): void => {
  const retrying = driveUnsettled(deciding, task);
  const view = viewOf(deciding, task.path, undefined, retrying);
  for (const directive of view.orchestrator.advance?.(view) ?? []) settleDirective(deciding, task, directive);
};

const settleDirective = (deciding: Deciding, task: TaskState, directive: Directive): void => {
  if (directive.kind === 'runList') settleList(deciding, task);
  else if (directive.kind === 'runChild') runChildren(deciding, task, [directive.index]);
  else if (directive.kind === 'runChildren') runChildren(deciding, task, directive.indexes);
  else carryOut(deciding, task.path, [directive]);
};

/**
 * Children that failed are tried again as their policy says, whatever the container's rule; counts those that still will
 * be. Lists look after their own.
 */
const driveUnsettled = (deciding: Deciding, task: TaskState): Retrying => {
  const retrying = { failed: 0, timedOut: 0 };
  const { children } = task;
  if (children === undefined || taskAt(deciding.definition, task.path).list?.sequential === true) return retrying;
  for (const path of [...children.unsettled, ...unclaimed(deciding, task)]) {
    const progress = driveTask(deciding, path, taskAt(deciding.definition, path));
    if (typeof progress === 'object') deciding.handOut([progress]);
    const status = deciding.run.tasks.get(path)?.status;
    if (progress === 'failed') children.unsettled.delete(path);
    else if (status === 'failed') retrying.failed += 1;
    else if (status === 'timed_out') retrying.timedOut += 1;
  }
  return retrying;
};

/** Children that an executor should have picked up by now, perhaps. */
const unclaimed = ({ run, definition }: Deciding, { path }: TaskState): readonly TaskPath[] =>
  definition.limitsPickUp ? [...(run.handed.get(path)?.keys() ?? [])].filter((child) => run.tasks.get(child)?.status === 'pending') : [];

const settleList = (deciding: Deciding, task: TaskState): void => {
  const { list } = taskAt(deciding.definition, task.path);
  if (list === undefined) return;
  const progress = driveList(deciding, list, task.path);
  if (progress.status === 'failed') carryOut(deciding, task.path, [{ kind: 'fail', error: listFailure(progress) }]);
  else if (progress.status === 'completed') carryOut(deciding, task.path, [{ kind: 'complete', output: listOutput(deciding, task) }]);
};

const listFailure = ({ task, error }: { task: TaskState; error?: FailureDetail }): FailureDetail => error ?? childFailure([task]);

/** Of a task that a loop came back to: what the last visit gave. */
const listOutput = (deciding: Deciding, task: TaskState): Json => {
  const outputs: JsonObject = {};
  for (const { id } of task.children?.plan.tasks ?? []) {
    const last = visitsOf(deciding.run, childPath(task.path, id)).findLast(({ status }) => status === 'completed');
    if (last !== undefined) outputs[id] = last.output ?? null;
  }
  return { outputs };
};

/** Children whose turn it is. Those for executors that follow each other form one segment. */
const runChildren = (deciding: Deciding, task: TaskState, indexes: readonly number[]): void => {
  const { children } = task;
  if (children === undefined) return;
  const segment: SegmentTask[] = [];
  for (const index of indexes) {
    const path = plannedChildPath(task.path, children.plan, index);
    const progress = driveTask(deciding, path, taskAt(deciding.definition, path));
    if (typeof progress === 'object') segment.push(progress);
    else if (segment.length > 0 || progress === 'open') break;
  }
  deciding.handOut(segment);
};
