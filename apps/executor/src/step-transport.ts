import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Bus, StepDelivery, Subscription } from '@foldwork/events';

/** Name under which handlers get step commands: `@EventPattern(STEP_PATTERN)`. */
export const STEP_PATTERN = 'steps';

export interface StepTransportOptions {
  readonly bus: Pick<Bus, 'consumeSteps'>;
  readonly pools: readonly string[];
  /** Deliveries that are not acknowledged yet, per pool. */
  readonly maxInFlight: number;
}

/** Brings the step commands of some pools to Nest handlers. Nest's own NATS transport is core NATS; commands are a work queue. */
export class StepTransport extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];

  constructor(private readonly options: StepTransportOptions) {
    super();
  }

  async listen(ready: (error?: unknown) => void): Promise<void> {
    const { bus, pools, maxInFlight } = this.options;
    try {
      const deliver = (delivery: StepDelivery): void => void this.getHandlerByPattern(STEP_PATTERN)?.(delivery);
      for (const pool of pools) this.subscriptions.push(await bus.consumeSteps(pool, maxInFlight, deliver));
      ready();
    } catch (error) {
      ready(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
  }

  override on(): void {
    // The bus reports its own state; this transport has no events.
  }

  override unwrap<T>(): T {
    throw new Error('the step transport has no server of its own');
  }
}
