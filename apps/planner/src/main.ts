import './compile-cache';
import 'reflect-metadata';
import { hostname } from 'node:os';
import { NestFactory } from '@nestjs/core';
import { connectNatsBus, createPostgresEventLog, PostgresDefinitionStore } from '@foldwork/events';
import {
  ALL_MIGRATIONS, announceCommits, createLogger, createPool, HealthRegistry, NestLoggerAdapter, readConfig, runMigrations, runUntilStopped,
  startHealthServer, type Running,
} from '@foldwork/platform';
import { plannerSettings } from './planner.config';
import { PlannerModule } from './planner.module';
import { PlannerRuntime } from './planner-runtime';

const start = async (): Promise<Running> => {
  const config = readConfig(process.env, ['databaseUrl', 'natsUrls']);
  const { databaseUrl } = config;
  const logger = createLogger({ app: 'planner', level: config.logLevel });
  if (config.migrate) await runMigrations({ databaseUrl, migrations: ALL_MIGRATIONS });
  const onError = (err: unknown): void => logger.warn({ event: 'store_trouble', err });
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: 'foldwork-planner', onError });
  const pool = createPool({ databaseUrl, maximum: 3, applicationName: 'planner', onIdleError: onError, session: { synchronous_commit: 'off' } });
  const bus = await connectNatsBus({ servers: config.natsUrls, name: 'planner' });
  announceCommits(log, bus);
  const module = PlannerModule.register({
    log, bus, pool, logger,
    definitions: new PostgresDefinitionStore(pool),
    settings: plannerSettings(config, hostname()),
  });
  const app = await NestFactory.createApplicationContext(module, { logger: new NestLoggerAdapter(logger) });
  const planner = app.get(PlannerRuntime);
  const health = new HealthRegistry().register('planner', async () => ({ ok: true, detail: { lag: (await log.head()) - planner.position } }));
  const server = config.healthPort === undefined ? undefined : await startHealthServer(health, config.healthPort, config.httpHost);
  const close = async (): Promise<void> => {
    health.beginStop();
    await app.close();
    await server?.close();
    await Promise.all([log.close(), pool.end(), bus.close()]);
  };
  return { logger, close, timeoutMs: config.shutdownMs };
};

void runUntilStopped(start);
