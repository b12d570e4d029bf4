import type { EventLog, RecordedEvent } from '@foldwork/events';
import { countOpenRuns } from '@foldwork/read-models';
import type { Pool } from 'pg';
import type { LogTail } from '../log/log-tail';
import { moveCheckpoint } from '../log/move-checkpoint.query';
import { openCheckpoint, type Checkpoint } from '../log/open-checkpoint.query';
import type { Metric } from './metric';
import type { MetricsProjection } from './metrics.projection';
import type { StatsdAdapter } from './statsd.adapter';
import { Tally } from './tally';

const STATSD = 'statsd';
const FLUSH_MS = 1_000;
/** After a restart every open run is unknown, and each comes with all that its tasks put out. */
const RUNS_AT_ONCE = 50;

export interface StatsdInputs {
  readonly tail: LogTail;
  readonly log: Pick<EventLog, 'readRuns'>;
  readonly pool: Pool;
  readonly projection: MetricsProjection;
  readonly statsd: StatsdAdapter;
  readonly flushMs: number | undefined;
  /** Positions up to which the others have come. */
  readonly progress: () => { readonly projected: number; readonly published: number | undefined };
  readonly now: () => number;
}

/**
 * Log → StatsD.
 *  1. A tally is sent by whoever moved the checkpoint over its events, after having moved it: two auditors never count an
 *     event twice, and a crash between the two loses one tally instead of doubling it.
 *  2. A rebuild of the read models does not touch this checkpoint, so it sends nothing again.
 */
export class StatsdConsumer {
  private checkpoint: Checkpoint | undefined;
  /** Counted into the tally up to here. */
  private position = 0;
  private tally = new Tally();
  private flushAt = 0;

  constructor(private readonly inputs: StatsdInputs) {}

  async round(): Promise<void> {
    const { tail, now } = this.inputs;
    this.checkpoint ??= await this.begin();
    const events = await tail.follow(this.position, Math.max(1, this.flushAt - now()));
    if (events.length > 0) await this.count(events);
    if (now() >= this.flushAt) await this.flush(this.checkpoint);
  }

  /** Sends what is gathered; for the end of the process. */
  async finish(): Promise<void> {
    try {
      if (this.checkpoint !== undefined) await this.flush(this.checkpoint);
    } finally {
      this.inputs.statsd.close();
    }
  }

  private async begin(): Promise<Checkpoint> {
    const checkpoint = await openCheckpoint(this.inputs.pool, STATSD, 'head');
    this.position = checkpoint.position;
    this.tally = new Tally();
    this.flushAt = this.inputs.now() + this.flushMs;
    return checkpoint;
  }

  private get flushMs(): number {
    return this.inputs.flushMs ?? FLUSH_MS;
  }

  private async count(events: readonly RecordedEvent[]): Promise<void> {
    const { projection, log } = this.inputs;
    const unknown = projection.unknownRuns(events);
    for (let start = 0; start < unknown.length; start += RUNS_AT_ONCE) {
      const earlier = await log.readRuns(unknown.slice(start, start + RUNS_AT_ONCE));
      projection.count(new Tally(), earlier.filter(({ position }) => position <= this.position));
    }
    projection.count(this.tally, events);
    this.position += events.length;
  }

  private async flush(from: Checkpoint): Promise<void> {
    const { pool, statsd, now } = this.inputs;
    this.flushAt = now() + this.flushMs;
    if (this.position > from.position) {
      this.checkpoint = undefined;
      if (!(await moveCheckpoint(pool, STATSD, from, this.position))) return;
      this.checkpoint = { position: this.position, epoch: from.epoch };
    }
    const gauges = await this.gauges(); // without which the tally waits
    statsd.send(this.tally.take(), gauges);
  }

  private async gauges(): Promise<ReadonlyMap<Metric, number>> {
    const { tail, pool, progress } = this.inputs;
    const { projected, published } = progress();
    const gauges = new Map<Metric, number>([
      [OPEN_RUNS, await countOpenRuns(pool)],
      [PROJECTION_LAG, Math.max(0, tail.head - projected)],
    ]);
    if (published !== undefined) gauges.set(RELAY_LAG, Math.max(0, tail.head - published));
    return gauges;
  }
}

const gauge = (name: string): Metric => ({ name, tags: [] });
const OPEN_RUNS = gauge('runs.open');
const PROJECTION_LAG = gauge('projection.lag');
const RELAY_LAG = gauge('relay.lag');
