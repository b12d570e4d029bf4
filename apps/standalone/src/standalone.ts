import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { INestApplicationContext, INestMicroservice } from '@nestjs/common';
import { Auditor, AUDITOR_SESSION, AuditorModule, auditorSettings, HintTransport } from '../../auditor/src';
import { Executor, type ExecutorDependencies, executorActions, executorSecrets, executorSettings, serveSteps } from '../../executor/src';
import { actionCatalog, registerGatewayChecks, startGateway, type Gateway } from '../../gateway/src';
import { PlannerModule, plannerSettings } from '../../planner/src';
import { ActionDirectory, createPostgresEventLog, EmbeddedBus, PostgresDefinitionStore, type EventLog } from '@foldwork/events';
import {
  announceCommits, createPool, DefinitionCache, HealthRegistry, NestLoggerAdapter, type Config, type Logger,
} from '@foldwork/platform';
import { createAccess } from '@foldwork/platform/http';
import type { Pool } from 'pg';

export interface Standalone {
  readonly url: string;
  close(): Promise<void>;
}

/** Name of planner and executor in one: a restart takes over what was left at once. */
const NAME = 'standalone';

interface Shared {
  readonly config: Config;
  readonly logger: Logger;
  readonly log: EventLog;
  readonly bus: EmbeddedBus;
  readonly pool: Pool;
  readonly definitions: PostgresDefinitionStore;
}

type Work = Pick<ExecutorDependencies, 'actions' | 'secrets'>;

/** The four services in one process, on one Postgres, whose schema is up to date, and the bus in memory. What does not start leaves nothing open. */
export const startStandalone = async (config: Config, databaseUrl: string, logger: Logger): Promise<Standalone> => {
  const opened = new AsyncDisposableStack(); // closed in reverse
  try {
    const { url } = await openAll(opened, config, databaseUrl, logger);
    return { url, close: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
};

const openAll = async (opened: AsyncDisposableStack, config: Config, databaseUrl: string, logger: Logger): Promise<Gateway> => {
  const work: Work = { actions: await executorActions(config, process.cwd()), secrets: await executorSecrets(config) };
  // A server that ends while the last connections are being closed is no trouble.
  const onError = (err: unknown): void => void (opened.disposed || logger.warn({ event: 'store_trouble', err }));
  const log = keep(opened, createPostgresEventLog({ connectionString: databaseUrl, onError }));
  const bus = keep(opened, new EmbeddedBus());
  const pool = opened.adopt(createPool({ databaseUrl, maximum: config.databasePoolSize, applicationName: 'standalone', onIdleError: onError }), endPool);
  const relaxed = opened.adopt(createPool({ databaseUrl, maximum: 5, applicationName: 'standalone-reads', onIdleError: onError, session: AUDITOR_SESSION }), endPool);
  announceCommits(log, bus);
  const shared: Shared = { config, logger, log, bus, pool, definitions: new PostgresDefinitionStore(pool) };
  keep(opened, await startAuditor(shared, relaxed));
  keep(opened, await startExecutor(shared, work));
  keep(opened, await startPlanner(shared, relaxed));
  return keep(opened, await startEmbeddedGateway(shared));
};

const endPool = (pool: Pool): Promise<void> => pool.end();
const keep = <T extends { close(): Promise<unknown> }>(opened: AsyncDisposableStack, part: T): T =>
  opened.adopt(part, async () => {
    await part.close();
  });

const startAuditor = async ({ config, logger, log, bus }: Shared, pool: Pool): Promise<INestMicroservice> => {
  const settings = { ...auditorSettings(config), feed: false }; // the embedded bus has no outside subscribers
  const module = AuditorModule.register({ log, bus, pool, logger, settings });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { strategy: new HintTransport(bus), logger: new NestLoggerAdapter(logger) });
  await app.listen();
  app.get(Auditor);
  return app;
};

const startExecutor = ({ config, logger, log, bus, pool, definitions }: Shared, work: Work): Promise<INestMicroservice> => {
  const executor = new Executor({ log, bus, pool, ...work, logger, definitions: new DefinitionCache(definitions), settings: executorSettings(config, NAME) });
  return serveSteps(executor, { bus, config, logger });
};

const startPlanner = ({ config, logger, log, bus, definitions }: Shared, pool: Pool): Promise<INestApplicationContext> => {
  const module = PlannerModule.register({ log, bus, pool, definitions, logger, settings: plannerSettings(config, NAME) });
  return NestFactory.createApplicationContext(module, { logger: new NestLoggerAdapter(logger) });
};

const startEmbeddedGateway = ({ config, logger, log, bus, pool, definitions }: Shared): Promise<Gateway> => {
  const health = registerGatewayChecks(new HealthRegistry(), { log, bus, reads: pool, lagMax: config.readyLagMax });
  const actions = actionCatalog(new ActionDirectory(pool));
  const dependencies = { log, bus, definitions, reads: pool, access: createAccess(config, pool), health, logger, settings: { ...config, busSignals: false }, actions }; // nobody outside hears the embedded bus
  return startGateway(dependencies, { host: config.httpHost, port: config.httpPort });
};
