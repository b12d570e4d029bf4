import type { Pool } from 'pg';
import type { LogTail } from '../log/log-tail';
import { addAnchors } from './add-anchors';
import { anchorsAfter } from './anchors-after.query';
import { RollingRoot } from './rolling-root';

const IDLE_MS = 1_000;

/** Log → the table of anchors. The newest anchor is its checkpoint. */
export class AnchorConsumer {
  private root: RollingRoot | undefined;
  private position = 0;
  /** Position of the anchor that the next one is made from. */
  private anchored = 0;

  constructor(
    private readonly tail: LogTail,
    private readonly pool: Pool,
    private readonly every: number,
    private readonly onAnchored: () => void,
  ) {}

  async round(): Promise<void> {
    const root = (this.root ??= await this.begin());
    const events = await this.tail.follow(this.position, IDLE_MS);
    const anchors = root.add(events);
    this.position += events.length;
    if (anchors.length === 0) return;
    this.root = undefined;
    if (!(await addAnchors(this.pool, this.anchored, anchors))) return;
    this.root = root;
    this.anchored = anchors.at(-1)?.position ?? this.anchored;
    this.onAnchored();
  }

  private async begin(): Promise<RollingRoot> {
    const newest = (await anchorsAfter(this.pool, 0)).at(-1);
    this.position = this.anchored = newest?.position ?? 0;
    return new RollingRoot((position) => position + this.every, newest);
  }
}
