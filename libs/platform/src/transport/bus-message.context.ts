import { BaseRpcContext } from '@nestjs/microservices';
import type { StepDelivery } from '@foldwork/events';

/** `@Ctx()` of a handler on the bus. */
export class BusMessageContext extends BaseRpcContext<[string]> {
  constructor(
    /** The pool of a step, or `hint.<topic>`. */
    readonly source: string,
    private readonly stepDelivery: StepDelivery | undefined,
  ) {
    super([source]);
  }

  /** To acknowledge the step or give it back; throws for a hint, which nobody waits for. */
  get delivery(): StepDelivery {
    if (this.stepDelivery === undefined) throw new Error(`${this.source} carries no delivery.`);
    return this.stepDelivery;
  }
}
