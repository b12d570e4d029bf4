import './compile-cache';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { connectNatsBus, createPostgresEventLog } from '@foldwork/events';
import {
  ALL_MIGRATIONS, createLogger, createPool, HealthRegistry, NestLoggerAdapter, readConfig, runMigrations, runUntilStopped,
  startHealthServer, type Running,
} from '@foldwork/platform';
import { Auditor } from './auditor';
import { AUDITOR_SESSION, auditorSettings } from './auditor.config';
import { AuditorModule } from './auditor.module';
import { HintTransport } from './hint-transport';

const start = async (): Promise<Running> => {
  const config = readConfig(process.env, ['databaseUrl', 'natsUrls']);
  const { databaseUrl } = config;
  const logger = createLogger({ app: 'auditor', level: config.logLevel });
  if (config.migrate) await runMigrations({ databaseUrl, migrations: ALL_MIGRATIONS });
  const onError = (err: unknown): void => logger.warn({ event: 'store_trouble', err });
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: 'foldwork-auditor', onError, readConnectionsMax: 2 });
  const pool = createPool({ databaseUrl, maximum: 4, applicationName: 'auditor', onIdleError: onError, session: AUDITOR_SESSION });
  const bus = await connectNatsBus({ servers: config.natsUrls, name: 'auditor' });
  const module = AuditorModule.register({ log, bus, pool, logger, settings: auditorSettings(config) });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: new HintTransport(bus),
    logger: new NestLoggerAdapter(logger),
  });
  await app.listen();
  const auditor = app.get(Auditor);
  const health = new HealthRegistry().register('consumers', () =>
    Promise.resolve({ ok: auditor.troubles.length === 0, detail: { projectionLag: auditor.lag.projection, feedLag: auditor.lag.feed } }));
  const server = config.healthPort === undefined ? undefined : await startHealthServer(health, config.healthPort, config.httpHost);
  logger.info({ event: 'started' });
  const close = async (): Promise<void> => {
    health.beginStop();
    await app.close();
    await server?.close();
    await Promise.all([log.close(), pool.end(), bus.close()]);
  };
  return { logger, close, timeoutMs: config.shutdownMs };
};

void runUntilStopped(start);
