import type { TaskState } from '../run/run.state';
import type { Retrying } from './orchestrator';

/** Children by how they stand. Failed ones that will be tried again count as active. */
export interface ChildCounts {
  readonly total: number;
  /** Completed or skipped. */
  readonly succeeded: number;
  /** Failed or escalated. */
  readonly failed: number;
  readonly timedOut: number;
  readonly canceled: number;
  readonly active: number;
  readonly pending: number;
}

export const countChildren = ({ children }: TaskState, retrying: Retrying): ChildCounts => {
  const total = children?.plan.childCount ?? 0;
  const counts = children?.counts;
  if (counts === undefined) return { total, succeeded: 0, failed: 0, timedOut: 0, canceled: 0, active: 0, pending: 0 };
  return {
    total,
    succeeded: counts.completed + counts.skipped,
    failed: counts.failed + counts.escalated - retrying.failed,
    timedOut: counts.timed_out - retrying.timedOut,
    canceled: counts.canceled,
    active: counts.assigned + counts.in_progress + counts.waiting + retrying.failed + retrying.timedOut,
    pending: counts.pending,
  };
};

export const endedCount = ({ succeeded, failed, timedOut, canceled }: ChildCounts): number => succeeded + failed + timedOut + canceled;
