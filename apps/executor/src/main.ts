import './compile-cache';
import 'reflect-metadata';
import { hostname } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { connectNatsBus, createPostgresEventLog, PostgresDefinitionStore } from '@foldwork/events';
import {
  ALL_MIGRATIONS, announceCommits, BusServer, createLogger, createPool, DefinitionCache, HealthRegistry, NestLoggerAdapter, readConfig, runMigrations, runUntilStopped,
  startHealthServer, type Running,
} from '@foldwork/platform';
import { executorActions, executorSecrets, executorSettings } from './executor.config';
import { ExecutorModule } from './executor.module';

const start = async (): Promise<Running> => {
  const config = readConfig(process.env, ['databaseUrl', 'natsUrls']);
  const { databaseUrl } = config;
  const logger = createLogger({ app: 'executor', level: config.logLevel });
  const actions = await executorActions(config, process.cwd());
  const secrets = await executorSecrets(config);
  if (config.migrate) await runMigrations({ databaseUrl, migrations: ALL_MIGRATIONS });
  const onError = (err: unknown): void => logger.warn({ event: 'store_trouble', err });
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: 'foldwork-executor', onError, readConnectionsMax: 1 });
  const pool = createPool({ databaseUrl, maximum: 2, applicationName: 'executor', onIdleError: onError });
  const bus = await connectNatsBus({ servers: config.natsUrls, name: 'executor' });
  announceCommits(log, bus);
  const definitions = new DefinitionCache(new PostgresDefinitionStore(pool));
  const module = ExecutorModule.register({ log, bus, pool, definitions, actions, secrets, logger, settings: executorSettings(config, hostname()) });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: new BusServer({ bus, pools: config.executorPools, maxInFlight: config.executorConcurrency }),
    logger: new NestLoggerAdapter(logger),
  });
  await app.listen();
  const health = new HealthRegistry().register('bus', () => Promise.resolve({ ok: bus.isConnected() }));
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
