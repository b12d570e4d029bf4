import '@foldwork/platform/process-options';
import { hostname } from 'node:os';
import { PostgresDefinitionStore } from '@foldwork/events';
import { DefinitionCache, runService } from '@foldwork/platform';
import { Executor } from './executor';
import { executorActions, executorSecrets, executorSettings } from './executor.config';

void runService({ app: 'executor', poolSize: () => 2, logReaders: 1 }, async (parts) => {
  const { config, logger, log, pool, bus, health } = parts;
  const executor = new Executor({
    log, bus, pool, logger,
    actions: await executorActions(config, process.cwd()),
    secrets: await executorSecrets(config),
    definitions: new DefinitionCache(new PostgresDefinitionStore(pool)),
    settings: executorSettings(config, hostname()),
  });
  await executor.join();
  // Nest takes half of the start: meanwhile the planner gives out again what the one before held.
  const { serveSteps } = await import('./serve-steps.js');
  health.register('bus', () => Promise.resolve({ ok: bus.isConnected() }));
  return serveSteps(executor, parts);
});
