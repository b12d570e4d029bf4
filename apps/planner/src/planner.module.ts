import { Injectable, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { PlannerDependencies } from './planner-dependencies';
import { PlannerRuntime } from './planner-runtime';

@Injectable()
class PlannerLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly planner: PlannerRuntime) {}

  onApplicationBootstrap(): Promise<void> {
    return this.planner.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.planner.stop();
  }
}

/** Starts and stops with the application it is part of. */
@Module({})
export class PlannerModule {
  static register(dependencies: PlannerDependencies): DynamicModule {
    return {
      module: PlannerModule,
      providers: [{ provide: PlannerRuntime, useFactory: () => new PlannerRuntime(dependencies) }, PlannerLifecycle],
      exports: [PlannerRuntime],
    };
  }
}
