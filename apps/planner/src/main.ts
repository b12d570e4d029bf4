import '@foldwork/platform/process-options';
import 'reflect-metadata';
import { hostname } from 'node:os';
import { NestFactory } from '@nestjs/core';
import { PostgresDefinitionStore } from '@foldwork/events';
import { NestLoggerAdapter, runService } from '@foldwork/platform';
import { plannerSettings } from './planner.config';
import { PlannerModule } from './planner.module';
import { PlannerRuntime } from './planner-runtime';

void runService({ app: 'planner', poolSize: () => 3, session: { synchronous_commit: 'off' } }, async ({ config, logger, log, pool, bus, health }) => {
  const module = PlannerModule.register({
    log, bus, pool, logger,
    definitions: new PostgresDefinitionStore(pool),
    settings: plannerSettings(config, hostname()),
  });
  const app = await NestFactory.createApplicationContext(module, { logger: new NestLoggerAdapter(logger) });
  const planner = app.get(PlannerRuntime);
  health
    .register('planner', async () => ({ ok: true, detail: { lag: (await log.head()) - planner.position } }))
    .register('planned', async () => ({ ok: true, detail: planner.planned }));
  return app;
});
