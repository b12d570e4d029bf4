import TinyQueue from 'tinyqueue';
import type { RunId } from '@foldwork/events';

interface Due {
  readonly runId: RunId;
  readonly at: number;
}

/**
 * Runs that are due soon, in memory: gives the agenda's rows millisecond precision. A run has one appointment, the
 * earliest; older ones are skipped when they come up. All that is due at one moment is handed over together.
 */
export class DueQueue {
  private readonly heap = new TinyQueue<Due>([], (a, b) => a.at - b.at);
  private readonly next = new Map<RunId, number>();
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  private isClosed = false;

  constructor(
    private readonly onDue: (runIds: RunId[]) => void,
    private readonly now: () => number,
  ) {}

  add(runId: RunId, at: number): void {
    const known = this.next.get(runId);
    if (this.isClosed) return;
    if (known !== undefined && known <= at) return;
    this.next.set(runId, at);
    this.heap.push({ runId, at });
    if (at < this.timerAt) this.arm(at);
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
    this.timerAt = at;
    this.timer = setTimeout(() => this.fire(), Math.max(0, at - this.now()));
  }

  private fire(): void {
    const now = this.now();
    const due: RunId[] = [];
    for (let top = this.heap.peek(); top !== undefined && top.at <= now; top = this.heap.peek()) {
      this.heap.pop();
      if (this.next.get(top.runId) !== top.at) continue;
      this.next.delete(top.runId);
      due.push(top.runId);
    }
    this.timerAt = Infinity;
    const top = this.heap.peek();
    if (top !== undefined) this.arm(top.at);
    if (due.length > 0) this.onDue(due);
  }
}
