import { formatRunId, type Lineage, type TaskPath } from '@foldwork/events/contracts';
import type { RunState } from './run.state';

/** Of what this task of the run asks of other runs. */
export const lineageFrom = ({ runId, tasks, lineage: { traceparent, correlationId } = {} }: RunState, task: TaskPath): Lineage => ({
  ...(traceparent !== undefined && { traceparent }),
  causationId: `${formatRunId(runId)}/${task}/${tasks.get(task)?.version ?? 0}`,
  correlationId: correlationId ?? formatRunId(runId),
});
