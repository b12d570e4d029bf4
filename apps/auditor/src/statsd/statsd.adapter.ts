import { StatsD } from 'hot-shots';
import type { Logger } from '@foldwork/platform';
import type { StatsdSettings } from '../auditor.config';
import { Datagrams } from './datagrams';
import type { Metric } from './metric';
import type { Tally } from './tally';

/** What a network without fragments carries. */
const DATAGRAM_BYTES_MAX = 1_432;
/** Values of one timer per transmission; more are sampled, which StatsD servers make up for. */
const TIMINGS_MAX = 1_000;
const FIRST_PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 60_000;

export type Gauges = ReadonlyMap<Metric, number>;

/**
 * Transmits tallies by hot-shots. A server that does not listen costs one warning and a pause of 5 s, doubling up to 60 s
 * while it stays away; what falls into a pause is not sent later, since it would be shown at the wrong time.
 */
export class StatsdAdapter {
  private client: StatsD | undefined;
  private stream: Datagrams | undefined;
  private pausedUntil = 0;
  private pauseMs = 0;
  private sentSincePause = false;

  constructor(
    private readonly settings: StatsdSettings,
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {}

  /** How long it rests at present; 0 while the server is there. */
  get pause(): number {
    return this.now() < this.pausedUntil ? this.pauseMs : 0;
  }

  send({ counters, timers }: ReturnType<Tally['take']>, gauges: Gauges): void {
    if (this.now() < this.pausedUntil) return;
    this.noteRecovery();
    const client = (this.client ??= this.connect());
    for (const [metric, count] of counters) client.increment(metric.name, count, [...metric.tags]);
    for (const [metric, value] of gauges) client.gauge(metric.name, value, [...metric.tags]);
    for (const [metric, values] of timers) sendTimings(client, metric, values);
    client.flush();
    this.sentSincePause = true;
  }

  close(): void {
    this.client?.close(() => undefined);
    this.stream?.destroy();
    this.client = undefined;
    this.stream = undefined;
  }

  private connect(): StatsD {
    const { host, port, prefix } = this.settings;
    const stream = new Datagrams(host, port);
    stream.on('error', (error) => this.fail(error));
    this.stream = stream;
    return new StatsD({
      protocol: 'stream',
      stream,
      prefix: `${prefix}.`,
      maxBufferSize: DATAGRAM_BYTES_MAX,
      datadog: false,
      includeDataDogTags: false,
      errorHandler: (error) => this.fail(error),
    });
  }

  private fail(error: Error): void {
    if (this.stream === undefined) return;
    if (this.pauseMs === 0) {
      const { host, port } = this.settings;
      this.logger.warn({ event: 'statsd_unreachable', host, port, err: error });
    }
    this.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, this.pauseMs * 2), PAUSE_MAX_MS);
    this.pausedUntil = this.now() + this.pauseMs;
    this.sentSincePause = false;
    this.close();
  }

  /** A transmission since the pause that nobody refused until the next one: the server is back. */
  private noteRecovery(): void {
    if (this.pauseMs === 0 || !this.sentSincePause) return;
    this.pauseMs = 0;
    this.logger.info({ event: 'statsd_reachable' });
  }
}

const sendTimings = (client: StatsD, metric: Metric, values: readonly number[]): void => {
  const rate = Math.min(1, TIMINGS_MAX / values.length);
  for (const value of values) client.timing(metric.name, value, rate, [...metric.tags]);
};
