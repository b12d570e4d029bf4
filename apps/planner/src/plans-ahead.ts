import type { NewEvent } from '@foldwork/events';
import type { RunEntry } from './run-entry';

/**
 * So long a plan may be on its way with its first command. Executors that keep up have it in the log within milliseconds;
 * where so many plans are on their way, they do not.
 */
const PLAN_WAIT_MS = 1_000;
const PLANS_MAX = 32;
/** After one that did not come in time: each of them costs a reading of its run. */
const PAUSE_MS = 10_000;

/** Plans that come into the log with the claim of the first task, which spares a commit where executors keep up. */
export class PlansAhead {
  private readonly entries = new Set<RunEntry>();
  private pausedUntil = 0;

  /** False: executors do not keep up, so the plan has to be appended by whoever made it. */
  take(entry: RunEntry, plan: NewEvent, now: number): boolean {
    if (!this.hasRoom(now)) return false;
    entry.goAhead(plan, now + PLAN_WAIT_MS);
    this.entries.add(entry);
    return true;
  }

  /** What is folded of this run is worth nothing: the plan is not in the log, or not as it was made. */
  isOvertaken(entry: RunEntry, now: number): boolean {
    if (!entry.isOvertaken(now)) return false;
    this.entries.delete(entry);
    if (now >= (entry.aheadUntil ?? Infinity)) this.pausedUntil = now + PAUSE_MS; // a cancel says nothing about executors
    return true;
  }

  private hasRoom(now: number): boolean {
    if (now < this.pausedUntil) return false;
    if (this.entries.size >= PLANS_MAX) for (const entry of this.entries) if (!entry.isAhead || entry.isOvertaken(now)) this.entries.delete(entry);
    return this.entries.size < PLANS_MAX;
  }
}
