import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Bus, StepDelivery, Subscription } from '@foldwork/events';
import { isObservable, lastValueFrom } from 'rxjs';
import { BusMessageContext } from './bus-message.context';

export interface BusServerOptions {
  readonly bus: Bus;
  /** Pools whose steps arrive at `@EventPattern<string>('steps')`; none: the process executes nothing. */
  readonly pools?: readonly string[];
  /** Deliveries of a pool that are handled and not acknowledged at once. */
  readonly maxInFlight?: number;
}

const STEPS = 'steps';
const HINT_TOPICS = ['log', 'decide', 'executors', 'projected', 'cancel'] as const;
const RETRY_AFTER_FAILURE_MS = 1_000;

/** A handler as Nest hands it over: pipes, guards and interceptors are inside. */
type Handler = (payload: string, context: BusMessageContext) => Promise<unknown>;

/**
 * Lets Nest handlers work on the bus, embedded or NATS. Nest's own NATS transport is core NATS only: it knows neither
 * acknowledgement nor redelivery. The payload reaches the handler as the text that was published.
 *
 * Patterns: `steps` gets each delivery of the pools, `hint.<topic>` each hint of that topic (`log` for an auditor). Write
 * them as `@EventPattern<string>('steps')`: without the type argument the decorator refuses a typed context.
 *
 * A step whose handler fails without having answered its delivery is given back, to come again a second later.
 */
export class BusServer extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];

  constructor(private readonly options: BusServerOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.subscribe().then(() => callback(), callback);
  }

  /** Ends the fetching; what is being handled may still answer. */
  async close(): Promise<void> {
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.close()));
  }

  /** The bus reports its own ups and downs (`onReconnect`, `isConnected`). */
  on(): never {
    throw new Error('A bus server has no events; ask the bus.');
  }

  unwrap<T>(): T {
    return this.options.bus as T; // Nest's contract: the caller says what it expects
  }

  private async subscribe(): Promise<void> {
    const { bus, pools = [], maxInFlight = 100 } = this.options;
    const onStep = this.handlerOf(STEPS);
    if (onStep !== undefined) {
      for (const pool of pools) {
        this.subscriptions.push(await bus.consumeSteps(pool, maxInFlight, (delivery) => void this.step(onStep, pool, delivery)));
      }
    }
    for (const topic of HINT_TOPICS) {
      const pattern = `hint.${topic}`;
      const onHint = this.handlerOf(pattern);
      if (onHint === undefined) continue;
      const context = new BusMessageContext(pattern, undefined);
      this.subscriptions.push(bus.onHint(topic, (payload) => void this.hint(onHint, payload, context)));
    }
  }

  private async step(handler: Handler, pool: string, delivery: StepDelivery): Promise<void> {
    try {
      await settled(await handler(delivery.payload, new BusMessageContext(pool, delivery)));
    } catch (error) {
      this.logger.error(error);
      delivery.retryLater(RETRY_AFTER_FAILURE_MS);
    }
  }

  private async hint(handler: Handler, payload: string, context: BusMessageContext): Promise<void> {
    try {
      await settled(await handler(payload, context));
    } catch (error) {
      this.logger.error(error);
    }
  }

  private handlerOf(pattern: string): Handler | undefined {
    return this.messageHandlers.get(pattern);
  }
}

/** Nest's exception filters answer a failure with a stream that fails. */
const settled = async (result: unknown): Promise<void> => {
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
};
