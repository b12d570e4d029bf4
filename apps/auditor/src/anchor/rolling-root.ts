import { createHash } from 'node:crypto';
import type { RecordedEvent } from '@foldwork/events';

export interface Anchor {
  readonly position: number;
  /** Hex SHA-256. */
  readonly root: string;
}

/** What stands before the first anchor. */
const FIRST_ROOT = '00'.repeat(32);

/**
 * A root over the hashes of all events up to a position: SHA-256 of the root before and the hashes since, as hex text.
 * Every `every` positions one root is an anchor; whoever keeps anchors elsewhere can prove later what the log held.
 */
export class RollingRoot {
  private since = '';
  private next: number;

  constructor(
    private readonly every: number,
    private last: Anchor = { position: 0, root: FIRST_ROOT },
  ) {
    this.next = last.position + every;
  }

  /** The anchors that these events complete; they follow on those given before. */
  add(events: readonly Pick<RecordedEvent, 'position' | 'hash'>[]): Anchor[] {
    const anchors: Anchor[] = [];
    for (const { position, hash } of events) {
      this.since += hash;
      if (position === this.next) anchors.push(this.close(position));
    }
    return anchors;
  }

  private close(position: number): Anchor {
    this.last = { position, root: createHash('sha256').update(this.last.root).update(this.since).digest('hex') };
    this.since = '';
    this.next = position + this.every;
    return this.last;
  }
}
