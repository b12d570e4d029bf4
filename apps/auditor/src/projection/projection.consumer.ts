import type { Bus } from '@foldwork/events';
import { applyChanges, PROJECTION, projectReadModels, type ReadTransitionHead } from '@foldwork/read-models';
import type { Pool } from 'pg';
import type { LogTail } from '../log/log-tail';
import { openCheckpoint, type Checkpoint } from '../log/open-checkpoint.query';
import { WakeUp } from '../log/wake-up';
import { pauseAfter } from './pause';
import type { UnknownTypes } from './unknown-types';

/** How long it waits for a hint; without any hint so far it looks more often. */
const POLL_MS = { hinted: 250, unhinted: 25 };
const FULL_BATCH = 1_000;

/**
 * Log → read models.
 *  1. A batch's rows and the checkpoint change in one statement that does nothing unless the checkpoint is where this
 *     projection believes it to be. Each event therefore counts exactly once, whoever else projects and whatever dies when.
 *  2. After each commit `projected` is hinted with the position, for reads that wait for their own writes.
 */
export class ProjectionConsumer {
  private checkpoint: Checkpoint | undefined;
  private isHinted = false;
  private readonly news = new WakeUp();

  constructor(
    private readonly tail: LogTail,
    private readonly pool: Pool,
    private readonly bus: Pick<Bus, 'hint'>,
    private readonly unknownTypes: UnknownTypes,
    private readonly readHead?: ReadTransitionHead,
  ) {}

  /** Position up to which the read models are known to be. */
  get position(): number {
    return this.checkpoint?.position ?? 0;
  }

  /** There may be new events. */
  hint(): void {
    this.isHinted = true;
    this.news.wake();
  }

  async round(signal: AbortSignal): Promise<void> {
    this.checkpoint ??= await openCheckpoint(this.pool, PROJECTION, 'beginning');
    const events = await this.tail.read(this.checkpoint.position);
    if (events.length > 0) await this.apply(this.checkpoint, events);
    const pause = events.length === 0 ? 0 : pauseAfter(events.length, events.length >= FULL_BATCH);
    const isIdle = events.length === 0;
    if (isIdle) await this.news.wait(0, this.isHinted ? POLL_MS.hinted : POLL_MS.unhinted, signal);
    else if (pause > 0) await this.news.wait(pause, pause, signal);
  }

  private async apply(from: Checkpoint, events: Awaited<ReturnType<LogTail['read']>>): Promise<void> {
    const to = from.position + events.length;
    // Until the answer is there nobody knows where the checkpoint is.
    this.checkpoint = undefined;
    const step = { checkpoint: PROJECTION, epoch: from.epoch, from: from.position, to, changes: projectReadModels(events, this.readHead) };
    if (!(await applyChanges(this.pool, 'read_models', step))) return;
    this.checkpoint = { position: to, epoch: from.epoch };
    this.unknownTypes.look(events);
    this.bus.hint('projected', String(to));
  }
}
