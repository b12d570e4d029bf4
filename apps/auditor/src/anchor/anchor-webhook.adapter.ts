import type { Pool } from 'pg';
import { moveCheckpoint } from '../log/move-checkpoint.query';
import { openCheckpoint } from '../log/open-checkpoint.query';
import type { AnchorSink } from './anchor-sink.port';
import type { Anchor } from './rolling-root';

const TIMEOUT_MS = 10_000;
const CHECKPOINT = 'anchor-webhook';

/** Posts each anchor as JSON `{position, root}`; anything but a 2xx answer is tried again. */
export class AnchorWebhookAdapter implements AnchorSink {
  constructor(
    private readonly url: string,
    private readonly pool: Pool,
  ) {}

  async newest(): Promise<number> {
    return (await openCheckpoint(this.pool, CHECKPOINT, 'beginning')).position;
  }

  async write(anchors: readonly Anchor[], signal: AbortSignal): Promise<void> {
    for (const anchor of anchors) {
      const checkpoint = await openCheckpoint(this.pool, CHECKPOINT, 'beginning');
      if (checkpoint.position >= anchor.position) continue;
      await this.post(anchor, signal);
      await moveCheckpoint(this.pool, CHECKPOINT, checkpoint, anchor.position);
    }
  }

  private async post(anchor: Anchor, signal: AbortSignal): Promise<void> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(anchor),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (!response.ok) throw new Error(`the anchor webhook answered ${response.status}`);
  }
}
