import '@foldwork/platform/process-options';
import 'reflect-metadata';
import { ActionDirectory, PostgresDefinitionStore } from '@foldwork/events';
import { runService } from '@foldwork/platform';
import { createAccess } from '@foldwork/platform/http';
import { startGateway } from './create-gateway';
import { registerGatewayChecks } from './health/gateway-health';
import { actionCatalog } from './workflows/action-catalog';

void runService({ app: 'gateway', poolSize: ({ databasePoolSize }) => databasePoolSize, answersHealth: true }, ({ config, logger, log, pool, bus, health }) =>
  startGateway(
    {
      log, bus, logger, reads: pool,
      definitions: new PostgresDefinitionStore(pool),
      access: createAccess(config, pool),
      health: registerGatewayChecks(health, { log, bus, reads: pool, lagMax: config.readyLagMax }),
      settings: config,
      actions: actionCatalog(new ActionDirectory(pool)),
    },
    { host: config.httpHost, port: config.httpPort },
  ));
