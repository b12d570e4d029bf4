/** What is slept through: `idle` ends by any wake, `pause` only by one that says so. */
export type WaitKind = 'idle' | 'pause';

/**
 * A sleep that can be cut short. A wake that comes while nobody sleeps is remembered for the next `idle` sleep, so that
 * no hint is lost between reading and waiting.
 */
export class WakeableWait {
  private sleeping: { readonly kind: WaitKind; readonly end: () => void } | undefined;
  private isWoken = false;
  private isClosed = false;

  async sleep(ms: number, kind: WaitKind): Promise<void> {
    if (this.isClosed || (kind === 'idle' && this.takeWake())) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.sleeping = { kind, end: () => { clearTimeout(timer); resolve(); } };
    });
    this.sleeping = undefined;
    if (kind === 'idle') this.isWoken = false;
  }

  wake(reach: 'idle' | 'any'): void {
    this.isWoken = true;
    if (this.sleeping && (reach === 'any' || this.sleeping.kind === 'idle')) this.sleeping.end();
  }

  /** No sleep lasts from now on. */
  close(): void {
    this.isClosed = true;
    this.sleeping?.end();
  }

  private takeWake(): boolean {
    const wasWoken = this.isWoken;
    this.isWoken = false;
    return wasWoken;
  }
}
