import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { HealthRegistry, TaskTypeVersionStore, WorkflowRegistry } from '@foldwork/platform';
import { AccessGuard, DtoPipe, ProblemFilter } from '@foldwork/platform/http';
import { CommandsController } from './commands/commands.controller';
import { OperatorCommands } from './commands/operator-commands';
import { LogTail } from './events/log-tail';
import { RunEvents } from './events/run-events';
import { RunEventsController } from './events/run-events.controller';
import type { GatewayDependencies } from './gateway-dependencies';
import { HealthController } from './health/health.controller';
import { OpenApiController, OpenApiText } from './openapi/openapi.controller';
import { ReadModel } from './runs/read-model';
import { RunReader } from './runs/run-reader';
import { RunsController } from './runs/runs.controller';
import { BusSignals } from './signals/bus-signals';
import { SchemasController } from './schemas/schemas.controller';
import { SignalDelivery } from './signals/signal-delivery';
import { SignalsController } from './signals/signals.controller';
import { RunBatchController } from './submission/run-batch.controller';
import { RunBatch } from './submission/run-batch';
import { RunSubmission } from './submission/run-submission';
import { TaskTypesController } from './task-types/task-types.controller';
import { DefinitionCatalog } from './workflows/definition-catalog';
import { DefinitionCheck } from './workflows/definition-check';
import { WorkflowsController } from './workflows/workflows.controller';

/** The gateway's parts, made from what the composition root brings. */
@Module({})
export class GatewayModule {
  static register(dependencies: GatewayDependencies): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [RunsController, RunBatchController, RunEventsController, CommandsController, SignalsController, WorkflowsController, TaskTypesController, SchemasController, HealthController, OpenApiController],
      providers: [
        { provide: APP_GUARD, useValue: new AccessGuard(dependencies.access) },
        { provide: APP_PIPE, useClass: DtoPipe },
        { provide: APP_FILTER, useValue: new ProblemFilter(dependencies.logger) },
        { provide: HealthRegistry, useValue: dependencies.health },
        OpenApiText,
        ...parts(dependencies),
      ],
    };
  }
}

const parts = ({ log, bus, definitions, reads, logger, settings, actions, now = Date.now }: GatewayDependencies): Provider[] => {
  const tail = new LogTail(log, bus, logger);
  const reader = new RunReader(log, tail);
  const check = new DefinitionCheck(actions);
  const catalog = new DefinitionCatalog(definitions, check);
  const registry = new WorkflowRegistry(log, now);
  const signals = new SignalDelivery({ log, reader, now });
  const versions = new TaskTypeVersionStore(reads);
  const submission = new RunSubmission({ log, reader, catalog, registry, versions, settings, now });
  const made = [
    versions, tail, reader, check, catalog, registry,
    new RunEvents(log, tail),
    new ReadModel(reads),
    submission, new RunBatch(submission),
    new OperatorCommands({ log, reader, bus, now }),
    signals, new BusSignals(signals, logger),
  ];
  return made.map((part) => ({ provide: part.constructor, useValue: part }));
};
