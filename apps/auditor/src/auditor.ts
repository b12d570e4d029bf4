import type { AuditorDependencies } from './auditor.config';
import { rememberTransitionHeads } from '@foldwork/read-models';
import { AnchorConsumer } from './anchor/anchor.consumer';
import { AnchorFileAdapter } from './anchor/anchor-file.adapter';
import { AnchorRelayConsumer } from './anchor/anchor-relay.consumer';
import { AnchorWebhookAdapter } from './anchor/anchor-webhook.adapter';
import { FeedConsumer } from './feed/feed.consumer';
import { ConsumerLoop, type Round } from './log/consumer-loop';
import { LogTail } from './log/log-tail';
import { ProjectionConsumer } from './projection/projection.consumer';
import { UnknownTypes } from './projection/unknown-types';
import { Metrics } from './statsd/metric';
import { MetricsProjection } from './statsd/metrics.projection';
import { OpenRuns } from './statsd/open-runs';
import { StatsdAdapter } from './statsd/statsd.adapter';
import { StatsdConsumer } from './statsd/statsd.consumer';

/** Runs whose times are kept in memory for durations; those of others are read from the log again when they go on. */
const OPEN_RUNS_MAX = 20_000;
/** More than the projection and the metrics are ever apart while both keep up. */
const HEADS_MAX = 10_000;

/** The consumers of the log that make up the auditor. It writes everything except the log. */
export class Auditor {
  private readonly tail: LogTail;
  private readonly readHead = rememberTransitionHeads(HEADS_MAX);
  private readonly projection: ProjectionConsumer;
  private readonly feed: FeedConsumer | undefined;
  private readonly statsd: StatsdConsumer | undefined;
  private readonly loops: ConsumerLoop[] = [];
  private readonly subscriptions: (() => void)[] = [];

  constructor(private readonly dependencies: AuditorDependencies) {
    const { log, pool, bus, settings, logger } = dependencies;
    this.tail = new LogTail(log);
    this.projection = new ProjectionConsumer(this.tail, pool, bus, new UnknownTypes(logger), this.readHead);
    this.feed = settings.feed ? new FeedConsumer(this.tail, pool, bus) : undefined;
    this.statsd = this.makeStatsd();
    this.addLoop('projection', (signal) => this.projection.round(signal));
    if (this.feed !== undefined) this.addLoop('feed', (signal) => this.feed?.round(signal) ?? Promise.resolve());
    if (this.statsd !== undefined) this.addLoop('statsd', () => this.statsd?.round() ?? Promise.resolve());
    this.addAnchors();
  }

  start(): void {
    const { log } = this.dependencies;
    this.subscriptions.push(log.onCommit(() => this.hint()));
    for (const loop of this.loops) loop.start();
  }

  /** The log has grown. */
  hint(): void {
    this.projection.hint();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
    const stopped = this.loops.map((loop) => loop.stop());
    this.tail.release();
    await Promise.all(stopped);
    // the last second of metrics is not worth an end in disorder
    await this.statsd?.finish().catch((err: unknown) => this.dependencies.logger.warn({ event: 'metrics_lost', err }));
  }

  /** What does not work at present, in words. */
  get troubles(): string[] {
    return this.loops.flatMap(({ trouble }) => trouble ?? []);
  }

  /** How far the read models and the feed are behind the newest event seen. */
  get lag(): { readonly projection: number; readonly feed: number } {
    const behind = (position: number): number => Math.max(0, this.tail.head - position);
    return { projection: behind(this.projection.position), feed: this.feed === undefined ? 0 : behind(this.feed.position) };
  }

  private addLoop(name: string, round: Round): void {
    this.loops.push(new ConsumerLoop(name, round, this.dependencies.logger));
  }

  private makeStatsd(): StatsdConsumer | undefined {
    const { log, pool, settings, logger } = this.dependencies;
    if (settings.statsd === undefined) return undefined;
    return new StatsdConsumer({
      tail: this.tail,
      log,
      pool,
      projection: new MetricsProjection(new Metrics(settings.statsd.labels), new OpenRuns(OPEN_RUNS_MAX), this.readHead),
      statsd: new StatsdAdapter(settings.statsd, logger, Date.now),
      flushMs: settings.statsd.flushMs,
      progress: () => ({ projected: this.projection.position, published: this.feed?.position }),
      now: Date.now,
    });
  }

  private addAnchors(): void {
    const { pool, settings } = this.dependencies;
    const { every, file, webhook } = settings.anchors;
    const sinks = [
      ...(file === undefined ? [] : [new AnchorFileAdapter(file)]),
      ...(webhook === undefined ? [] : [new AnchorWebhookAdapter(webhook, pool)]),
    ];
    const relays = sinks.map((sink) => new AnchorRelayConsumer(pool, sink));
    const anchors = new AnchorConsumer(this.tail, pool, every, () => relays.forEach((relay) => relay.hint()));
    this.addLoop('anchors', () => anchors.round());
    for (const relay of relays) this.addLoop('anchor-relay', (signal) => relay.round(signal));
  }
}
