import { RUN_STREAM, type RunId, type TaskPath } from '@foldwork/events/contracts';
import type { Deciding } from './deciding';
import type { RunState } from './run.state';

/** Runs whose state the next decision wants to know (`DecideContext.childRun`). */
export const openChildRuns = (run: RunState): readonly RunId[] => [...run.childRuns.keys()];

/** How soon a run that is no longer wanted is looked at again. */
const CANCEL_AGAIN_MS = 1_000;

/** Child runs that should be under way but are not, and those that are although their task was taken away. */
export const followChildRuns = (deciding: Deciding): void => {
  for (const [runId, path] of deciding.run.childRuns) {
    const task = deciding.run.tasks.get(path);
    if (task?.status === 'in_progress' && task.childRun?.runId === runId) request(deciding, path);
    else cancel(deciding, runId);
  }
};

const request = ({ run, context, childRuns }: Deciding, path: TaskPath): void => {
  const task = run.tasks.get(path);
  if (task?.childRun === undefined) return;
  const { runId, workflow, attempt } = task.childRun;
  const known = context.childRun?.(runId);
  if (known !== undefined && !(known.status === 'failed' && known.attempt < attempt)) return;
  childRuns.push({ task: path, runId, workflow, input: task.input ?? {}, attempt, at: task.startedAt ?? run.request.at });
};

const cancel = (deciding: Deciding, runId: RunId): void => {
  const known = deciding.context.childRun?.(runId);
  if (known?.status !== 'open') return void deciding.run.childRuns.delete(runId);
  deciding.cancelRuns.push(runId);
  deciding.wakeAt(RUN_STREAM, deciding.now + CANCEL_AGAIN_MS);
};
