import type { RunId } from '@foldwork/events/contracts';
import type { RunStatus, TaskCount } from '../run-status';

/** What one batch of events changes in the summary of one run. Counts are differences, everything else replaces. */
export interface RunChange {
  readonly runId: RunId;
  /** Set when the batch holds the run's first event: the row is new. */
  birth?: RunBirth;
  /** A status always comes with its own error and end, so that an earlier ending leaves nothing behind. */
  status?: RunStatusChange;
  startedAt?: number;
  attempt?: number;
  readonly tasks: Record<TaskCount, number>;
  events: number;
  /** Position of the newest event in the batch. */
  position: number;
}

/** Times in milliseconds since 1970. */
export interface RunBirth {
  readonly namespace: string;
  readonly workflow: string;
  readonly service?: string;
  readonly requestedAt: number;
  readonly inputExcerpt: string;
}

export interface RunStatusChange {
  readonly status: RunStatus;
  readonly finishedAt?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export const unchangedRun = (runId: RunId): RunChange => ({
  runId,
  tasks: { total: 0, active: 0, completed: 0, failed: 0, skipped: 0, canceled: 0 },
  events: 0,
  position: 0,
});

/** A workflow's labels after the batch; each label points at one definition. */
export interface WorkflowChange {
  readonly namespace: string;
  readonly name: string;
  readonly labels: { [label: string]: string };
  publishedAt: number;
  position: number;
}

export interface ReadModelChanges {
  readonly runs: RunChange[];
  readonly workflows: WorkflowChange[];
}
