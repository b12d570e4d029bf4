/** So many things at a time; the rest queue in order. */
export class Slots {
  private readonly queue: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly slotsMax: number) {}

  get used(): number {
    return this.taken;
  }

  async take(): Promise<void> {
    if (this.taken < this.slotsMax) {
      this.taken += 1;
      return;
    }
    await new Promise<void>((resolve) => this.queue.push(resolve));
  }

  give(): void {
    const next = this.queue.shift();
    if (next === undefined) this.taken -= 1;
    else next(); // the slot goes straight to whoever waits
  }
}
