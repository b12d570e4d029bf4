import { flushCompileCache } from 'node:module';
import { connectNatsBus, createPostgresEventLog, type Bus, type EventLog } from '@foldwork/events';
import type { Pool } from 'pg';
import { readConfig, type ConfigWith } from '../config/read-config';
import { HealthRegistry } from '../health/health.registry';
import { startHealthServer } from '../health/health.server';
import { createLogger, type Logger } from '../logging/logger';
import { createPool } from '../postgres/create-pool';
import { prepareSchema } from '../postgres/prepare-schema';
import { announceCommits } from './announce-commits';
import { runUntilStopped, type Running } from './run-until-stopped';

type ServiceConfig = ConfigWith<'databaseUrl' | 'natsUrls'>;

export interface ServiceOptions {
  readonly app: string;
  /** Connections of the pool at most. */
  readonly poolSize: (config: ServiceConfig) => number;
  /** Settings of the pool's sessions. */
  readonly session?: Readonly<Record<string, string>>;
  /** Connections that read the log at most. */
  readonly logReaders?: number;
  /** Health is part of its own HTTP interface. */
  readonly answersHealth?: boolean;
}

/** What every service works with. They are closed after it, in order. */
export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly log: EventLog;
  readonly pool: Pool;
  readonly bus: Bus;
  readonly health: HealthRegistry;
}

/** `start` resolves when the service is at work. */
export type StartService = (parts: ServiceParts) => Promise<{ close(): Promise<unknown> }>;

/** The whole life of one of the four services as a process: settings, connections, work, health, orderly end. */
export const runService = (options: ServiceOptions, start: StartService): Promise<void> => runUntilStopped(() => startWork(options, start));

const startWork = async (options: ServiceOptions, start: StartService): Promise<Running> => {
  const parts = await connect(options);
  const { config, logger, health, log, pool, bus } = parts;
  const work = await start(parts);
  const healthPort = options.answersHealth === true ? undefined : config.healthPort;
  const server = healthPort === undefined ? undefined : await startHealthServer(health, healthPort, config.httpHost);
  flushCompileCache(); // a service that is killed never comes to the end, where it would be written
  const close = async (): Promise<void> => {
    health.beginStop();
    await work.close();
    await server?.close();
    await Promise.all([log.close(), pool.end(), bus.close()]);
  };
  return { logger, close, timeoutMs: config.shutdownMs };
};

const connect = async ({ app, poolSize, session = {}, logReaders }: ServiceOptions): Promise<ServiceParts> => {
  const config = readConfig(process.env, ['databaseUrl', 'natsUrls']);
  const { databaseUrl, natsUrls, natsCredentials } = config;
  const logger = createLogger({ app, level: config.logLevel });
  const onError = (err: unknown): void => logger.warn({ event: 'store_trouble', err });
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: `foldwork-${app}`, onError, ...(logReaders !== undefined && { readConnectionsMax: logReaders }) });
  const pool = createPool({ databaseUrl, maximum: poolSize(config), applicationName: app, onIdleError: onError, session });
  const [bus] = await Promise.all([
    connectNatsBus({ servers: natsUrls, credentialsFile: natsCredentials, name: app, onTrouble: (trouble) => logger.warn({ event: 'bus_trouble', ...trouble }) }),
    prepareSchema(config, logger),
  ]);
  announceCommits(log, bus);
  return { config, logger, log, pool, bus, health: new HealthRegistry() };
};
