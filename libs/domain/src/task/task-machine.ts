import type { TaskStatus, TaskTransition } from '@foldwork/events/contracts';

/**
 * The task state machine: one table, nothing else decides whether a transition is legal. `undefined` means refused.
 * `completed` has no way out at all, `escalated` only an operator's `resolve`; `retry` leads back from every ending
 * that is not a success, because a retried run begins its unfinished tasks again.
 */
const TABLE: Readonly<Record<TaskStatus, Partial<Record<TaskTransition, TaskStatus>>>> = {
  pending: { assign: 'assigned', begin: 'in_progress', wait: 'waiting', skip: 'skipped', cancel: 'canceled', timeOut: 'timed_out' },
  assigned: { start: 'in_progress', fail: 'failed', escalate: 'escalated', cancel: 'canceled', timeOut: 'timed_out' },
  in_progress: { complete: 'completed', fail: 'failed', escalate: 'escalated', cancel: 'canceled', timeOut: 'timed_out' },
  waiting: { complete: 'completed', fail: 'failed', escalate: 'escalated', cancel: 'canceled', timeOut: 'timed_out' },
  failed: { retry: 'pending' },
  timed_out: { retry: 'pending' },
  canceled: { retry: 'pending' },
  escalated: { resolve: 'completed' },
  completed: {},
  skipped: {},
};

export const TASK_STATUSES = Object.keys(TABLE) as readonly TaskStatus[]; // the keys of a Record over TaskStatus

/** The status after the transition, or `undefined` where the table refuses it (`TRANSITION_NOT_ALLOWED`). */
export const nextStatus = (status: TaskStatus, transition: TaskTransition): TaskStatus | undefined => TABLE[status][transition];

export const legalTransitions = (status: TaskStatus): readonly TaskTransition[] =>
  Object.keys(TABLE[status]) as TaskTransition[]; // keys of a record over TaskTransition

/** No transition the engine makes by itself leads out of it. */
export const isEnded = (status: TaskStatus): boolean =>
  status === 'completed' || status === 'skipped' || isUnsuccessful(status);

export const isUnsuccessful = (status: TaskStatus): boolean =>
  status === 'failed' || status === 'escalated' || status === 'canceled' || status === 'timed_out';

export const isActive = (status: TaskStatus): boolean =>
  status === 'assigned' || status === 'in_progress' || status === 'waiting';

/** Four-state view for people and for older tools. */
export type CoarseStatus = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED';
export const coarseStatus = (status: TaskStatus): CoarseStatus => {
  if (status === 'pending') return 'PENDING';
  if (isActive(status)) return 'RUNNING';
  return isUnsuccessful(status) ? 'FAILED' : 'COMPLETED';
};
