import type { RecordedEvent } from '@foldwork/events';
import { RollingRoot, type Anchor } from '../anchor/rolling-root';
import type { IntegrityProblem } from './integrity-problem';

/** Compares the anchors of one source with roots made anew from the log. */
export class AnchorCheck {
  private readonly expected: Map<number, string>;
  private readonly root: RollingRoot;

  constructor(
    private readonly source: string,
    anchors: readonly Anchor[],
  ) {
    const places = [...new Set(anchors.map(({ position }) => position))].sort((left, right) => left - right);
    const nextOf = new Map(places.map((position, index) => [position, places[index + 1]]));
    this.expected = new Map(anchors.map(({ position, root }) => [position, root]));
    this.root = new RollingRoot((position) => (position === 0 ? places[0] : nextOf.get(position)));
  }

  check(events: readonly RecordedEvent[]): IntegrityProblem[] {
    return this.root.add(events).flatMap(({ position, root: found }) => {
      const expected = this.expected.get(position) ?? found;
      this.expected.delete(position);
      return expected === found ? [] : [{ kind: 'anchor_wrong' as const, source: this.source, position, expected, found }];
    });
  }

  /** Anchors at positions that did not come. */
  unreached(head: number): IntegrityProblem[] {
    return [...this.expected.keys()]
      .filter((position) => position > head)
      .map((position) => ({ kind: 'anchor_unreached', source: this.source, position, head }));
  }
}
