import type { RecordedEvent } from '@foldwork/events';
import { RollingRoot, type Anchor } from '../anchor/rolling-root';
import type { IntegrityProblem } from './integrity-problem';

/** Compares the anchors of one source with roots made anew from the log. */
export class AnchorCheck {
  /** Whoever can add lines to a file must not be able to replace what it holds: every line counts. */
  private readonly expected = new Map<number, Set<string>>();
  private readonly root: RollingRoot;

  constructor(
    private readonly source: string,
    anchors: readonly Anchor[],
  ) {
    const places = [...new Set(anchors.map(({ position }) => position))].sort((left, right) => left - right);
    const nextOf = new Map(places.map((position, index) => [position, places[index + 1]]));
    for (const { position, root } of anchors) this.expected.set(position, (this.expected.get(position) ?? new Set()).add(root));
    this.root = new RollingRoot((position) => (position === 0 ? places[0] : nextOf.get(position)));
  }

  check(events: readonly RecordedEvent[]): IntegrityProblem[] {
    return this.root.add(events).flatMap(({ position, root: found }) => {
      const roots = [...(this.expected.get(position) ?? [])].filter((expected) => expected !== found);
      this.expected.delete(position);
      return roots.map((expected) => ({ kind: 'anchor_wrong', source: this.source, position, expected, found }));
    });
  }

  /** Anchors at positions that did not come. */
  unreached(head: number): IntegrityProblem[] {
    return [...this.expected.keys()]
      .filter((position) => position > head)
      .map((position) => ({ kind: 'anchor_unreached', source: this.source, position, head }));
  }
}
