/** Cuts a wait short. A call of `wake` while nobody waits is kept for the next wait. */
export class WakeUp {
  private isDue = false;
  private waiter: (() => void) | undefined;

  wake(): void {
    this.isDue = true;
    this.waiter?.();
  }

  /** At least `leastMs`, at most `mostMs`; in between it ends with the first `wake` since the wait before. */
  async wait(leastMs: number, mostMs: number, signal: AbortSignal): Promise<void> {
    if (leastMs > 0) await this.until(leastMs, signal, false);
    if (!this.isDue && mostMs > leastMs) await this.until(mostMs - leastMs, signal, true);
    this.isDue = false;
  }

  private until(delayMs: number, signal: AbortSignal, isWoken: boolean): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiter = undefined;
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener('abort', done, { once: true });
      if (isWoken) this.waiter = done;
    });
  }
}
