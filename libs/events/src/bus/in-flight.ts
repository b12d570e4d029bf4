/**
 * Deliveries that were handed out and not settled yet, oldest first. One that is neither acknowledged nor given back in
 * time counts as lost: its place is free again, and it will be delivered anew.
 */
export class InFlight<T> {
  /** Insertion order is deadline order, since the time allowed is the same for all. */
  private readonly deadlines = new Map<T, number>();

  constructor(private readonly timeAllowedMs: number, private readonly now: () => number) {}

  get size(): number {
    return this.deadlines.size;
  }

  add(delivery: T): void {
    this.deadlines.set(delivery, this.now() + this.timeAllowedMs);
  }

  /** False if it was settled before or came too late. */
  settle(delivery: T): boolean {
    return this.deadlines.delete(delivery);
  }

  takeOverdue(): T[] {
    const now = this.now();
    const overdue: T[] = [];
    for (const [delivery, deadline] of this.deadlines) {
      if (deadline > now) break;
      overdue.push(delivery);
    }
    for (const delivery of overdue) this.deadlines.delete(delivery);
    return overdue;
  }

  nextDeadline(): number | undefined {
    return this.deadlines.values().next().value;
  }
}
