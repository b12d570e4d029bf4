import type { Pool } from 'pg';
import type { LogTail } from '../log/log-tail';
import { anchorsAfter } from './anchors-after.query';
import type { AnchorSink } from './anchor-sink.port';
import { insertAnchors } from './insert-anchors.query';
import { RollingRoot, type Anchor } from './rolling-root';

const IDLE_MS = 1_000;

/**
 * Log → anchors, in a table and in places outside. The newest anchor is its checkpoint. A sink gets what the table has
 * and it has not, so nothing is left out when the process dies between the two.
 */
export class AnchorConsumer {
  private root: RollingRoot | undefined;
  private position = 0;

  constructor(
    private readonly tail: LogTail,
    private readonly pool: Pool,
    private readonly every: number,
    private readonly sinks: readonly AnchorSink[],
  ) {}

  async round(): Promise<void> {
    this.root ??= await this.begin();
    const events = await this.tail.read(this.position);
    if (events.length === 0) return this.tail.arrival(this.position, IDLE_MS);
    const anchors = this.root.add(events);
    this.position += events.length;
    if (anchors.length > 0) await this.keep(anchors);
  }

  private async begin(): Promise<RollingRoot> {
    const newest = (await anchorsAfter(this.pool, 0)).at(-1);
    await this.catchUp();
    this.position = newest?.position ?? 0;
    return new RollingRoot(this.every, newest);
  }

  private async keep(anchors: readonly Anchor[]): Promise<void> {
    const root = this.root;
    this.root = undefined;
    await insertAnchors(this.pool, anchors);
    await this.catchUp();
    this.root = root;
  }

  private async catchUp(): Promise<void> {
    for (const sink of this.sinks) {
      const missing = await anchorsAfter(this.pool, await sink.newest());
      if (missing.length > 0) await sink.write(missing);
    }
  }
}
