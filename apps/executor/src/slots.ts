/** So many things at a time; the rest queue in order. */
export class Slots {
  private readonly queue = new Set<(isTaken: boolean) => void>();
  private taken = 0;
  private isClosed = false;

  constructor(private readonly slotsMax: number) {}

  get used(): number {
    return this.taken;
  }

  /** False: none came free in this time, or the slots were closed. */
  async take(waitMs: number): Promise<boolean> {
    if (this.isClosed) return false;
    if (this.taken < this.slotsMax) {
      this.taken += 1;
      return true;
    }
    return new Promise<boolean>((resolve) => {
      const settle = (isTaken: boolean): void => {
        clearTimeout(timer);
        this.queue.delete(settle);
        resolve(isTaken);
      };
      const timer = setTimeout(() => settle(false), waitMs);
      this.queue.add(settle);
    });
  }

  give(): void {
    const [next] = this.queue;
    if (next === undefined) this.taken -= 1;
    else next(true); // the slot goes straight to whoever waits
  }

  /** Nobody gets one any more; whoever waits is sent away. */
  close(): void {
    this.isClosed = true;
    for (const settle of [...this.queue]) settle(false);
  }
}
