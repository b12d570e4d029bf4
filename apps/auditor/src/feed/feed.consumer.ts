import type { Bus, RecordedEvent } from '@foldwork/events';
import type { Pool } from 'pg';
import { sleep } from '../log/consumer-loop';
import type { LogTail } from '../log/log-tail';
import { moveCheckpoint } from '../log/move-checkpoint.query';
import { openCheckpoint, type Checkpoint } from '../log/open-checkpoint.query';
import { cloudEvent } from './cloud-event';

const FEED = 'feed';
const IDLE_MS = 250;
const EVENTS_MAX = 1_000;
const DISCONNECTED_MS = 100;

/**
 * Log → bus, for subscribers outside. At least once, in order: the checkpoint moves when the bus has the events, and
 * what is sent again has the same id. Holds one batch at a time; while the bus is away it waits and nothing piles up.
 */
export class FeedConsumer {
  private checkpoint: Checkpoint | undefined;

  constructor(
    private readonly tail: LogTail,
    private readonly pool: Pool,
    private readonly bus: Pick<Bus, 'publishFeed' | 'isConnected'>,
  ) {}

  /** Position of the last event that subscribers have. */
  get position(): number {
    return this.checkpoint?.position ?? 0;
  }

  async round(signal: AbortSignal): Promise<void> {
    if (!this.bus.isConnected()) return sleep(DISCONNECTED_MS, signal);
    this.checkpoint ??= await this.open();
    const events = (await this.tail.follow(this.checkpoint.position, IDLE_MS)).slice(0, EVENTS_MAX);
    if (events.length > 0) await this.publish(this.checkpoint, events);
  }

  private async open(): Promise<Checkpoint> {
    await this.bus.publishFeed([]); // subscribers come before events
    return openCheckpoint(this.pool, FEED, 'beginning');
  }

  private async publish(from: Checkpoint, events: readonly RecordedEvent[]): Promise<void> {
    await this.bus.publishFeed(events.map(cloudEvent));
    const position = from.position + events.length;
    this.checkpoint = undefined;
    if (await moveCheckpoint(this.pool, FEED, from, position)) this.checkpoint = { position, epoch: from.epoch };
  }
}
