import { createHash, type Hash } from 'node:crypto';
import type { RecordedEvent } from '@foldwork/events';

export interface Anchor {
  readonly position: number;
  /** Hex SHA-256. */
  readonly root: string;
}

/** What stands before the first anchor. */
export const NO_ANCHOR: Anchor = { position: 0, root: '00'.repeat(32) };

/**
 * A root over the hashes of all events up to a position: SHA-256 of the root before and the hashes since, all as hex
 * text. Whoever keeps anchors elsewhere can prove later what the log held.
 */
export class RollingRoot {
  private hash: Hash;
  private next: number | undefined;

  /** `placeAfter`: where the next anchor stands, `undefined` for no further one. */
  constructor(
    private readonly placeAfter: (position: number) => number | undefined,
    last: Anchor = NO_ANCHOR,
  ) {
    this.hash = createHash('sha256').update(last.root);
    this.next = placeAfter(last.position);
  }

  /** The anchors that these events complete; they follow on those given before. */
  add(events: readonly Pick<RecordedEvent, 'position' | 'hash'>[]): Anchor[] {
    const anchors: Anchor[] = [];
    let hashes = '';
    for (const { position, hash } of events) {
      hashes += hash;
      if (position !== this.next) continue;
      anchors.push(this.close(position, hashes));
      hashes = '';
    }
    this.hash.update(hashes);
    return anchors;
  }

  private close(position: number, hashes: string): Anchor {
    const root = this.hash.update(hashes).digest('hex');
    this.hash = createHash('sha256').update(root);
    this.next = this.placeAfter(position);
    return { position, root };
  }
}
