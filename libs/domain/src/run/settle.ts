import { taskPath, type Json, type JsonObject, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import { taskAt } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import { childFailure } from '../task-types/child-failure';
import type { Directive } from '../task-types/orchestrator';
import { plannedChildPath } from './apply-task-event';
import { carryOut } from './carry-out';
import type { Deciding } from './deciding';
import { driveList } from './drive-list';
import { driveTask, segmentTask } from './drive-task';
import type { TaskState } from './run.state';
import { viewOf } from './task-view';

/** Lets an active task look at its children again and does what its rule says. */
export const settleTask = (deciding: Deciding, path: TaskPath): void => {
  const task = deciding.run.tasks.get(path);
  if (task === undefined || !isActive(task.status) || task.executor !== undefined) return;
  const retrying = driveOpenChildren(deciding, task);
  const view = viewOf(deciding, path, undefined, retrying);
  const directives = view.orchestrator.advance?.(view) ?? [];
  for (const directive of directives) settleDirective(deciding, task, directive);
};

const settleDirective = (deciding: Deciding, task: TaskState, directive: Directive): void => {
  if (directive.kind === 'runList') settleList(deciding, task);
  else if (directive.kind === 'runChild') runChildren(deciding, task, [directive.index]);
  else if (directive.kind === 'runChildren') runChildren(deciding, task, directive.indexes);
  else carryOut(deciding, task.path, [directive]);
};

/**
 * Children that began and have not settled: time limits and retries are looked after, whatever the container's rule.
 * Returns how many failed ones will be tried again. Lists look after their own.
 */
const driveOpenChildren = (deciding: Deciding, task: TaskState): number => {
  const { children } = task;
  if (children === undefined || taskAt(deciding.definition, task.path).list?.sequential === true) return 0;
  let retrying = 0;
  for (const path of [...children.open]) {
    const progress = driveTask(deciding, path, taskAt(deciding.definition, path));
    if (progress === 'ready') deciding.segments.push([segmentTask(deciding, path, taskAt(deciding.definition, path))]);
    if (progress === 'failed') children.open.delete(path);
    else if (deciding.run.tasks.get(path)?.status === 'failed') retrying += 1;
  }
  return retrying;
};

const settleList = (deciding: Deciding, task: TaskState): void => {
  const { list } = taskAt(deciding.definition, task.path);
  if (list === undefined) return;
  const progress = driveList(deciding, list, task.path);
  if (progress.status === 'failed') carryOut(deciding, task.path, [{ kind: 'fail', error: childFailure([progress.task]) }]);
  else if (progress.status === 'completed') carryOut(deciding, task.path, [{ kind: 'complete', output: listOutput(deciding, task) }]);
};

const listOutput = (deciding: Deciding, task: TaskState): Json => {
  const outputs: JsonObject = {};
  for (const { id } of task.children?.plan.tasks ?? []) {
    const child = deciding.run.tasks.get(taskPath(`${task.path}/${id}`));
    if (child?.status === 'completed') outputs[id] = child.output ?? null;
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
    const spec = taskAt(deciding.definition, path);
    const progress = driveTask(deciding, path, spec);
    if (progress === 'ready') segment.push(segmentTask(deciding, path, spec));
  }
  if (segment.length > 0) deciding.segments.push(segment);
};
