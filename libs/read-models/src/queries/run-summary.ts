import type { RunId } from '@foldwork/events/contracts';
import type { RunStatus, TaskCount } from '../run-status';

/** A run as lists show it. Times are milliseconds since 1970; absent means it has not happened. */
export interface RunSummary {
  readonly runId: RunId;
  readonly namespace: string;
  readonly workflow: string;
  readonly service?: string;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly requestedAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly tasks: Readonly<Record<TaskCount, number>>;
  /** Events so far, over all streams of the run. */
  readonly events: number;
  /** Position in the log of the newest event that this summary contains. */
  readonly position: number;
}

export interface RunRow {
  readonly run_id: string;
  readonly namespace: string;
  readonly workflow: string;
  readonly service: string | null;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly tasks_total: number;
  readonly tasks_active: number;
  readonly tasks_completed: number;
  readonly tasks_failed: number;
  readonly tasks_skipped: number;
  readonly tasks_canceled: number;
  readonly events: number;
  readonly position: string;
}

export const RUN_ROW_COLUMNS =
  'run_id, namespace, workflow, service, status, attempt, requested_at, started_at, finished_at, error_code, error_message, ' +
  'tasks_total, tasks_active, tasks_completed, tasks_failed, tasks_skipped, tasks_canceled, events, position';

export const runSummary = (row: RunRow): RunSummary => ({
  runId: row.run_id as RunId, // the column's type is uuid
  namespace: row.namespace,
  workflow: row.workflow,
  ...(row.service === null ? {} : { service: row.service }),
  status: row.status,
  attempt: row.attempt,
  requestedAt: row.requested_at.getTime(),
  ...(row.started_at === null ? {} : { startedAt: row.started_at.getTime() }),
  ...(row.finished_at === null ? {} : { finishedAt: row.finished_at.getTime() }),
  ...(row.error_code === null ? {} : { error: { code: row.error_code, message: row.error_message ?? '' } }),
  tasks: {
    total: row.tasks_total,
    active: row.tasks_active,
    completed: row.tasks_completed,
    failed: row.tasks_failed,
    skipped: row.tasks_skipped,
    canceled: row.tasks_canceled,
  },
  events: row.events,
  position: Number(row.position),
});
