import type { FeedMessage, Subscription } from '../bus.port';

export type FeedListener = (message: FeedMessage) => void;

/** Hands every message to the listeners of this process, once per id among the last ones. */
export class EmbeddedFeed {
  /** Oldest first. */
  private readonly recentIds = new Set<string>();
  private readonly listeners = new Set<FeedListener>();

  constructor(private readonly idsMax: number) {}

  publish(message: FeedMessage): void {
    if (this.recentIds.has(message.id)) return;
    this.recentIds.add(message.id);
    if (this.recentIds.size > this.idsMax) this.forgetOldest();
    for (const listener of this.listeners) listener(message);
  }

  subscribe(listener: FeedListener): Subscription {
    this.listeners.add(listener);
    return {
      close: () => {
        this.listeners.delete(listener);
        return Promise.resolve();
      },
    };
  }

  private forgetOldest(): void {
    const oldest = this.recentIds.values().next().value;
    if (oldest !== undefined) this.recentIds.delete(oldest);
  }
}
