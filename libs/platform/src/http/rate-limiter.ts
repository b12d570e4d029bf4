import { LRUCache } from 'lru-cache';

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A token bucket per key: `perSecond` requests a second, with bursts of as many. Keys unseen for long are forgotten,
 * which can only let somebody through early. One process counts for itself.
 */
export class RateLimiter {
  private readonly buckets = new LRUCache<string, Bucket>({ max: 10_000 });

  /** `perSecond` 0: no limit. `now` is in milliseconds and monotonic. */
  constructor(private readonly perSecond: number, private readonly now: () => number = () => performance.now()) {}

  /** 0 when the request may pass, otherwise the whole seconds to wait. */
  take(key: string): number {
    if (this.perSecond === 0) return 0;
    const now = this.now();
    const bucket = this.refilled(key, now);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.perSecond));
    bucket.tokens -= 1;
    return 0;
  }

  /** As if one request of this key had not been. */
  giveBack(key: string): void {
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(this.perSecond, bucket.tokens + 1);
  }

  private refilled(key: string, now: number): Bucket {
    const known = this.buckets.get(key);
    if (known === undefined) {
      const fresh = { tokens: this.perSecond, at: now };
      this.buckets.set(key, fresh);
      return fresh;
    }
    known.tokens = Math.min(this.perSecond, known.tokens + ((now - known.at) / 1_000) * this.perSecond);
    known.at = now;
    return known;
  }
}
