import { isEnded, type CompiledDefinition, type RunState, type TaskState } from '@foldwork/domain';
import { childName, childPath, formatRunId, parentPath, RUN_STREAM, type RecordedEvent } from '@foldwork/events';
import { presentMembers } from '../http/present-members';
import { attemptHistory, type Attempt } from './attempt-history';
import { iso, summaryOfState } from './run-summary';
import type { AttemptDto, PlannedTaskDto, RunDetailDto, TaskDto } from './run.dto';
import { waitingFor } from './waiting-for';

/** Everything people want to know about one run, from its events alone. Pure. */
export const runDetail = (run: RunState, events: readonly RecordedEvent[], definition?: CompiledDefinition): RunDetailDto => {
  const history = attemptHistory(events);
  const plan = planOf(run);
  const stepOrder = new Map(plan.map(({ id, stepOrder: order }) => [id, order]));
  const { input, output, failedTask, paused } = run;
  const { idempotencyKey, parent } = run.request;
  return presentMembers({
    ...summaryOfState(run),
    input, output, plan, paused, failedTask, idempotencyKey,
    tasks: [...run.tasks.values()].map((task) => taskDto(task, history.get(task.path) ?? [], stepOrder.get(task.path))),
    waitingFor: waitingFor(run, definition) ?? null,
    cancelRequested: run.cancel !== undefined,
    retryAt: run.status === 'failed' ? iso(run.retryAt) : undefined,
    parent: parent && { runId: formatRunId(parent.runId), task: parent.task },
  });
};

const planOf = (run: RunState): PlannedTaskDto[] =>
  run.rootTasks.map((id, index) => ({ id, type: run.tasks.get(childPath(RUN_STREAM, id))?.type ?? 'basic', stepOrder: index + 1 }));

const taskDto = (task: TaskState, attempts: readonly Attempt[], stepOrder: number | undefined): TaskDto => {
  const { path, type, status, attempt, input, output, error, sideEffects, undo } = task;
  return presentMembers({
    path, type, status, attempt, input, output, error, sideEffects, undo, stepOrder,
    id: childName(path),
    parent: parentPath(path) === '' ? undefined : parentPath(path),
    attempts: attempts.map(attemptDto),
    startedAt: iso(task.startedAt),
    finishedAt: isEnded(status) ? iso(task.endedAt) : undefined,
    until: status === 'waiting' ? iso(task.until) : undefined,
  });
};

const attemptDto = ({ startedAt, finishedAt, ...rest }: Attempt): AttemptDto =>
  presentMembers({ ...rest, startedAt: iso(startedAt), finishedAt: iso(finishedAt) });
