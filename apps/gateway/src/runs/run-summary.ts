import type { RunState, TaskState } from '@foldwork/domain';
import { formatRunId } from '@foldwork/events';
import type { RunSummary } from '@foldwork/read-models';
import { presentMembers } from '../http/present-members';
import type { RunSummaryDto, TaskCountsDto } from './run.dto';

/** RFC 3339 in UTC with milliseconds; a time that has not come stays undefined. */
export const iso = <T extends number | undefined>(ms: T): T extends number ? string : string | undefined =>
  (ms === undefined ? undefined : new Date(ms).toISOString()) as T extends number ? string : string | undefined; // one branch per kind of argument

/** A run's summary from its folded log. */
export const summaryOfState = (run: RunState): RunSummaryDto => presentMembers({
  runId: formatRunId(run.runId),
  workflow: run.workflow,
  definition: run.definition,
  status: run.status === 'rolling_back' ? 'running' : run.status, // the API has no status of its own for it; `waitingFor` tells
  attempt: run.attempt,
  version: run.eventCount,
  requestedAt: iso(run.request.at),
  startedAt: iso(run.startedAt),
  finishedAt: iso(run.endedAt),
  error: run.error,
  taskCounts: countTasks(run.tasks.values()),
});

/** The same from the read model. */
export const summaryOfReadModel = (run: RunSummary): RunSummaryDto => presentMembers({
  runId: formatRunId(run.runId),
  workflow: run.workflow,
  service: run.service,
  status: run.status,
  attempt: run.attempt,
  version: run.events,
  requestedAt: iso(run.requestedAt),
  startedAt: iso(run.startedAt),
  finishedAt: iso(run.finishedAt),
  error: run.error,
  taskCounts: run.tasks,
});

const COUNT_OF: Readonly<Record<TaskState['status'], keyof TaskCountsDto | undefined>> = {
  pending: undefined, assigned: 'active', in_progress: 'active', waiting: 'active', completed: 'completed',
  failed: 'failed', escalated: 'failed', timed_out: 'failed', skipped: 'skipped', canceled: 'canceled',
};

const countTasks = (tasks: Iterable<TaskState>): TaskCountsDto => {
  const counts = { total: 0, active: 0, completed: 0, failed: 0, skipped: 0, canceled: 0 };
  for (const { status } of tasks) {
    counts.total += 1;
    const name = COUNT_OF[status];
    if (name !== undefined) counts[name] += 1;
  }
  return counts;
};
