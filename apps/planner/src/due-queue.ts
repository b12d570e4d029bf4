import TinyQueue from 'tinyqueue';
import type { RunId } from '@foldwork/events';

interface Due {
  readonly runId: RunId;
  readonly at: number;
}

/** So much before their moment runs are handed over; */
export const LEAD_MS = 50;
/** and for so many runs in memory one more, up to a limit: deciding takes its time when a thousand are due at once. */
export const RUNS_PER_LEAD_MS = 8;
const LEAD_MAX_MS = 200;

/**
 * Runs that are due soon, in memory: gives the agenda's rows millisecond precision. A run has one appointment, the
 * earliest; older ones are skipped when they come up. All that is due at one moment is handed over together, a little
 * before it: nothing of what is decided then may be appended or sent before `at`.
 */
export class DueQueue {
  private readonly heap = new TinyQueue<Due>([], (a, b) => a.at - b.at);
  private readonly next = new Map<RunId, number>();
  private timer: NodeJS.Timeout | undefined;
  private firesAt = Infinity;
  private isClosed = false;

  constructor(
    private readonly onDue: (runIds: RunId[], at: number) => void,
    private readonly now: () => number,
  ) {}

  add(runId: RunId, at: number): void {
    const known = this.next.get(runId);
    if (this.isClosed) return;
    if (known !== undefined && known <= at) return;
    this.next.set(runId, at);
    this.heap.push({ runId, at });
    if (at - this.leadMs < this.firesAt) this.arm(at);
  }

  private get leadMs(): number {
    return Math.min(LEAD_MS + Math.floor(this.next.size / RUNS_PER_LEAD_MS), LEAD_MAX_MS);
  }

  remove(runId: RunId): void {
    this.next.delete(runId);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.next.clear();
  }

  private arm(at: number): void {
    clearTimeout(this.timer);
    this.firesAt = at - this.leadMs;
    this.timer = setTimeout(() => this.fire(), Math.max(0, this.firesAt - this.now()));
  }

  private fire(): void {
    const horizon = this.now() + this.leadMs;
    const due = new Map<number, RunId[]>();
    for (let top = this.heap.peek(); top !== undefined && top.at <= horizon; top = this.heap.peek()) {
      this.heap.pop();
      if (this.next.get(top.runId) !== top.at) continue;
      this.next.delete(top.runId);
      const together = due.get(top.at);
      if (together === undefined) due.set(top.at, [top.runId]);
      else together.push(top.runId);
    }
    this.firesAt = Infinity;
    const top = this.heap.peek();
    if (top !== undefined) this.arm(top.at);
    for (const [at, runIds] of due) this.onDue(runIds, at);
  }
}
