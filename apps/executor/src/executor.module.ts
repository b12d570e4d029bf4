import { Controller, Injectable, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { BusMessageContext } from '@foldwork/platform/microservice';
import { Executor } from './executor';

@Controller()
class StepController {
  constructor(private readonly executor: Executor) {}

  @EventPattern<string>('steps')
  run(@Payload() _command: string, @Ctx() { delivery }: BusMessageContext): void {
    // Not awaited: Nest would hold the message for as long as the segment runs.
    void this.executor.handle(delivery);
  }
}

@Injectable()
class ExecutorLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly executor: Executor) {}

  onApplicationBootstrap(): Promise<void> {
    return this.executor.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.executor.stop();
  }
}

/** Starts and stops with the application it is part of; connect a `BusServer` to it. */
@Module({})
export class ExecutorModule {
  static register(executor: Executor): DynamicModule {
    return {
      module: ExecutorModule,
      controllers: [StepController],
      providers: [{ provide: Executor, useValue: executor }, ExecutorLifecycle],
      exports: [Executor],
    };
  }
}
