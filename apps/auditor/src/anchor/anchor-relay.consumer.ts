import type { Pool } from 'pg';
import { WakeUp } from '../log/wake-up';
import { anchorsAfter } from './anchors-after.query';
import type { AnchorSink } from './anchor-sink.port';

const IDLE_MS = 5_000;

/** The table of anchors → one place outside. A place that is away holds up neither the others nor the anchoring. */
export class AnchorRelayConsumer {
  private written: number | undefined;
  private readonly news = new WakeUp();

  constructor(
    private readonly pool: Pool,
    private readonly sink: AnchorSink,
  ) {}

  hint(): void {
    this.news.wake();
  }

  async round(signal: AbortSignal): Promise<void> {
    const after = this.written ?? (await this.sink.newest());
    const anchors = await anchorsAfter(this.pool, after);
    this.written = undefined;
    if (anchors.length > 0) await this.sink.write(anchors, signal);
    this.written = anchors.at(-1)?.position ?? after;
    await this.news.wait(0, IDLE_MS, signal);
  }
}
