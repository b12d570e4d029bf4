import '@foldwork/platform/process-options';
import 'reflect-metadata';
import { hostname } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { PostgresDefinitionStore } from '@foldwork/events';
import { DefinitionCache, NestLoggerAdapter, runService } from '@foldwork/platform';
import { BusServer } from '@foldwork/platform/microservice';
import { executorActions, executorSecrets, executorSettings } from './executor.config';
import { ExecutorModule } from './executor.module';

void runService({ app: 'executor', poolSize: () => 2, logReaders: 1 }, async ({ config, logger, log, pool, bus, health }) => {
  const module = ExecutorModule.register({
    log, bus, pool, logger,
    actions: await executorActions(config, process.cwd()),
    secrets: await executorSecrets(config),
    definitions: new DefinitionCache(new PostgresDefinitionStore(pool)),
    settings: executorSettings(config, hostname()),
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: new BusServer({ bus, pools: config.executorPools, maxInFlight: config.executorConcurrency }),
    logger: new NestLoggerAdapter(logger),
  });
  await app.listen();
  health.register('bus', () => Promise.resolve({ ok: bus.isConnected() }));
  return app;
});
