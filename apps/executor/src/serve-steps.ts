import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { Bus } from '@foldwork/events';
import { NestLoggerAdapter, type Config, type Logger } from '@foldwork/platform';
import { BusServer } from '@foldwork/platform/microservice';
import type { Executor } from './executor';
import { ExecutorModule } from './executor.module';

interface ServeOptions {
  readonly bus: Bus;
  readonly config: Pick<Config, 'executorPools' | 'executorConcurrency'>;
  readonly logger: Logger;
}

/** Starts the executor and brings it the steps of its pools; closing what is returned stops both. */
export const serveSteps = async (executor: Executor, { bus, config, logger }: ServeOptions): Promise<INestMicroservice> => {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(ExecutorModule.register(executor), {
    strategy: new BusServer({ bus, pools: config.executorPools, maxInFlight: config.executorConcurrency }),
    logger: new NestLoggerAdapter(logger),
  });
  await app.listen();
  return app;
};
