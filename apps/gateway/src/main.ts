import './compile-cache';
import 'reflect-metadata';
import { ActionDirectory, connectNatsBus, createPostgresEventLog, PostgresDefinitionStore } from '@foldwork/events';
import {
  ALL_MIGRATIONS, announceCommits, createAccess, createLogger, createPool, HealthRegistry, readConfig, runMigrations, runUntilStopped, type Running,
} from '@foldwork/platform';
import { startGateway } from './create-gateway';
import { registerGatewayChecks } from './health/gateway-health';
import { actionCatalog } from './workflows/action-catalog';

const start = async (): Promise<Running> => {
  const config = readConfig(process.env, ['databaseUrl', 'natsUrls']);
  const { databaseUrl } = config;
  const logger = createLogger({ app: 'gateway', level: config.logLevel });
  if (config.migrate) await runMigrations({ databaseUrl, migrations: ALL_MIGRATIONS });
  const onError = (err: unknown): void => logger.warn({ event: 'store_trouble', err });
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: 'foldwork-gateway', onError });
  const pool = createPool({ databaseUrl, maximum: config.databasePoolSize, applicationName: 'gateway', onIdleError: onError });
  const bus = await connectNatsBus({ servers: config.natsUrls, name: 'gateway', onTrouble: (trouble) => logger.warn({ event: 'bus_trouble', ...trouble }) });
  announceCommits(log, bus);
  const health = registerGatewayChecks(new HealthRegistry(), { log, bus, reads: pool, lagMax: config.readyLagMax });
  const actions = actionCatalog(new ActionDirectory(pool));
  const definitions = new PostgresDefinitionStore(pool);
  const gateway = await startGateway(
    { log, bus, definitions, reads: pool, access: createAccess(config, pool), health, logger, settings: config, actions },
    { host: config.httpHost, port: config.httpPort },
  );
  const close = async (): Promise<void> => {
    await gateway.close();
    await Promise.all([log.close(), pool.end(), bus.close()]);
  };
  return { logger, close, timeoutMs: config.shutdownMs };
};

void runUntilStopped(start);
