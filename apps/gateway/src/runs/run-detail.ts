import { isEnded, type CompiledDefinition, type RunState, type TaskState } from '@foldwork/domain';
import { childName, childPath, formatRunId, parentPath, RUN_STREAM, type RecordedEvent } from '@foldwork/events';
import { attemptHistory, type Attempt } from './attempt-history';
import { iso, summaryOfState } from './run-summary';
import type { AttemptDto, PlannedTaskDto, RunDetailDto, TaskDto } from './run.dto';
import { waitingFor } from './waiting-for';

/** Everything people want to know about one run, from its events alone. Pure. */
export const runDetail = (run: RunState, events: readonly RecordedEvent[], definition?: CompiledDefinition): RunDetailDto => {
  const history = attemptHistory(events);
  const plan = planOf(run);
  const stepOrder = new Map(plan.map(({ id, stepOrder: order }) => [id, order]));
  return {
    ...summaryOfState(run),
    input: run.input,
    ...(run.output !== undefined && { output: run.output }),
    plan,
    tasks: [...run.tasks.values()].map((task) => taskDto(task, history.get(task.path) ?? [], stepOrder.get(task.path))),
    waitingFor: waitingFor(run, definition) ?? null,
    paused: run.paused,
    cancelRequested: run.cancel !== undefined,
    ...(run.failedTask !== undefined && { failedTask: run.failedTask }),
    ...(run.status === 'failed' && run.retryAt !== undefined && { retryAt: iso(run.retryAt) }),
    ...(run.request.idempotencyKey !== undefined && { idempotencyKey: run.request.idempotencyKey }),
    ...(run.request.parent !== undefined && { parent: { runId: formatRunId(run.request.parent.runId), task: run.request.parent.task } }),
  };
};

const planOf = (run: RunState): PlannedTaskDto[] =>
  run.rootTasks.map((id, index) => ({ id, type: run.tasks.get(childPath(RUN_STREAM, id))?.type ?? 'basic', stepOrder: index + 1 }));

const taskDto = (task: TaskState, attempts: readonly Attempt[], stepOrder: number | undefined): TaskDto => ({
  path: task.path,
  id: childName(task.path),
  ...(parentPath(task.path) !== '' && { parent: parentPath(task.path) }),
  type: task.type,
  ...(stepOrder !== undefined && { stepOrder }),
  status: task.status,
  attempt: task.attempt,
  attempts: attempts.map(attemptDto),
  ...(task.startedAt !== undefined && { startedAt: iso(task.startedAt) }),
  ...(task.endedAt !== undefined && isEnded(task.status) && { finishedAt: iso(task.endedAt) }),
  ...(task.until !== undefined && task.status === 'waiting' && { until: iso(task.until) }),
  ...(task.input !== undefined && { input: task.input }),
  ...(task.output !== undefined && { output: task.output }),
  ...(task.error !== undefined && { error: task.error }),
  ...(task.sideEffects !== undefined && { sideEffects: task.sideEffects }),
  ...(task.undo !== undefined && { undo: task.undo }),
});

const attemptDto = ({ attempt, status, startedAt, finishedAt, executor, error }: Attempt): AttemptDto => ({
  attempt,
  status,
  startedAt: iso(startedAt),
  ...(finishedAt !== undefined && { finishedAt: iso(finishedAt) }),
  ...(executor !== undefined && { executor }),
  ...(error !== undefined && { error }),
});
