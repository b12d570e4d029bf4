import '@foldwork/platform/process-options';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { NestLoggerAdapter, runService } from '@foldwork/platform';
import { Auditor } from './auditor';
import { AUDITOR_SESSION, auditorSettings } from './auditor.config';
import { AuditorModule } from './auditor.module';
import { HintTransport } from './hint-transport';

void runService({ app: 'auditor', poolSize: () => 4, session: AUDITOR_SESSION, logReaders: 2 }, async ({ config, logger, log, pool, bus, health }) => {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AuditorModule.register({ log, bus, pool, logger, settings: auditorSettings(config) }), {
    strategy: new HintTransport(bus),
    logger: new NestLoggerAdapter(logger),
  });
  await app.listen();
  const auditor = app.get(Auditor);
  health.register('consumers', () =>
    Promise.resolve({ ok: auditor.troubles.length === 0, detail: { projectionLag: auditor.lag.projection, feedLag: auditor.lag.feed } }));
  logger.info({ event: 'started' });
  return app;
});
