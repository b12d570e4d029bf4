import type { Bus, EventLog } from '@foldwork/events';
import type { Config, Logger } from '@foldwork/platform';
import type { Pool } from 'pg';

export interface AuditorSettings {
  /** Whether events are published on the bus for outside subscribers. */
  readonly feed: boolean;
  /** Absent: no metrics. */
  readonly statsd?: StatsdSettings;
  readonly anchors: AnchorSettings;
}

export interface StatsdSettings {
  readonly host: string;
  readonly port: number;
  /** First segment of every name. */
  readonly prefix: string;
  readonly labels: 'name' | 'tags';
  /** Between two transmissions; default 1 s. */
  readonly flushMs?: number;
}

export interface AnchorSettings {
  /** Positions between two anchors. */
  readonly every: number;
  readonly file?: string;
  /** Gets each anchor as a POST of JSON. */
  readonly webhook?: string;
}

/** What the auditor is given; it closes none of it. */
export interface AuditorDependencies {
  readonly log: EventLog;
  readonly bus: Bus;
  /** Connections for read models and checkpoints, made with `AUDITOR_SESSION`. */
  readonly pool: Pool;
  readonly settings: AuditorSettings;
  readonly logger: Logger;
}

/**
 * Session settings of the auditor's connections. A crash may cost the newest rows together with the checkpoint that says
 * so, never one without the other, hence no waiting for the disk. A plan made while a table is empty is kept for long;
 * only the one by index stays good.
 */
export const AUDITOR_SESSION = {
  synchronous_commit: 'off',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
} as const;

export const auditorSettings = (config: Config): AuditorSettings => ({
  feed: config.feed,
  ...(config.statsdHost === undefined
    ? {}
    : { statsd: { host: config.statsdHost, port: config.statsdPort, prefix: config.statsdPrefix, labels: config.statsdLabels } }),
  anchors: {
    every: config.anchorEvery,
    ...(config.anchorFile === undefined ? {} : { file: config.anchorFile }),
    ...(config.anchorWebhook === undefined ? {} : { webhook: config.anchorWebhook }),
  },
});
