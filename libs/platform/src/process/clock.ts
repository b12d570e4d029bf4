/** Does a piece of work again and again, never twice at a time. Trouble is reported and waits for the next turn. */
export class Clock {
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void> | undefined;

  constructor(
    intervalMs: number,
    private readonly work: () => Promise<void>,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.timer = setInterval(() => this.turn(), intervalMs);
  }

  /** Resolves when the work in hand is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private turn(): void {
    this.running ??= this.work()
      .catch(this.onTrouble)
      .finally(() => {
        this.running = undefined;
      });
  }
}
