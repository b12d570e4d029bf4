import type { TaskStatus } from '@foldwork/events/contracts';

export const RUN_STATUSES = [
  'pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'rolled_back', 'canceled', 'escalated',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const OPEN_RUN_STATUSES: readonly RunStatus[] = ['pending', 'running', 'awaiting_approval'];

/** What a run's summary counts. `total` grows when containers plan their children. */
export const TASK_COUNTS = ['total', 'active', 'completed', 'failed', 'skipped', 'canceled'] as const;
export type TaskCount = (typeof TASK_COUNTS)[number];

/** Under which count a task in this status stands; pending tasks are in `total` only. */
export const COUNT_BY_STATUS: Readonly<Record<TaskStatus, Exclude<TaskCount, 'total'> | undefined>> = {
  pending: undefined,
  assigned: 'active',
  in_progress: 'active',
  waiting: 'active',
  completed: 'completed',
  failed: 'failed',
  escalated: 'failed',
  timed_out: 'failed',
  skipped: 'skipped',
  canceled: 'canceled',
};
