import { type DynamicModule, Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Auditor } from './auditor';
import type { AuditorDependencies } from './auditor.config';
import { HintController } from './hint.controller';

@Injectable()
class AuditorLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly auditor: Auditor) {}

  onApplicationBootstrap(): void {
    this.auditor.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.auditor.stop();
  }
}

/** Starts and stops with the application it is part of; connect a `HintTransport` to it where others append to the log. */
@Module({})
export class AuditorModule {
  static register(dependencies: AuditorDependencies): DynamicModule {
    return {
      module: AuditorModule,
      controllers: [HintController],
      providers: [{ provide: Auditor, useFactory: () => new Auditor(dependencies) }, AuditorLifecycle],
      exports: [Auditor],
    };
  }
}
