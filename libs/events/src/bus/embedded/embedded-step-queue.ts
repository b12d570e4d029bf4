import type { StepDelivery, Subscription } from '../bus.port';
import { InFlight } from '../in-flight';
import type { DeliveryFate } from './delivery-faults';

interface Message {
  readonly payload: string;
  deliveries: number;
}

interface Consumer {
  /** Zero once it is closed: it only waits for its last acknowledgements. */
  maxInFlight: number;
  readonly handler: (delivery: StepDelivery) => void;
  readonly inFlight: InFlight<Message>;
}

export interface StepQueueSettings {
  readonly ackWaitMs: number;
  readonly fate: () => DeliveryFate;
}

/**
 * The work queue of one pool, in process. Invariants: (1) a message is either waiting, in flight at one consumer, or
 * asleep until its retry; (2) a consumer never holds more than `maxInFlight`; (3) handlers run in a turn of their own,
 * never inside `publish`.
 */
export class EmbeddedStepQueue {
  private waiting: Message[] = [];
  private readonly consumers = new Set<Consumer>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private pumpScheduled = false;
  private sweep: NodeJS.Timeout | undefined;

  constructor(private readonly settings: StepQueueSettings) {}

  publish(payload: string): void {
    for (const delayMs of this.settings.fate()) this.enqueueLater({ payload, deliveries: 0 }, delayMs);
  }

  consume(maxInFlight: number, handler: (delivery: StepDelivery) => void): Subscription {
    const consumer: Consumer = { maxInFlight, handler, inFlight: new InFlight(this.settings.ackWaitMs, () => performance.now()) };
    this.consumers.add(consumer);
    this.schedulePump();
    return {
      close: () => {
        consumer.maxInFlight = 0;
        return Promise.resolve();
      },
    };
  }

  close(): void {
    this.consumers.clear();
    this.waiting = [];
    clearTimeout(this.sweep);
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private enqueueLater(message: Message, delayMs: number): void {
    if (delayMs <= 0) {
      this.waiting.push(message);
      this.schedulePump();
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.enqueueLater(message, 0);
    }, delayMs);
    timer.unref();
    this.timers.add(timer);
  }

  private schedulePump(): void {
    if (this.pumpScheduled || this.waiting.length === 0 || this.consumers.size === 0) return;
    this.pumpScheduled = true;
    setImmediate(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  /** Deals the waiting messages out, one to each consumer in turn. */
  private pump(): void {
    let dealt = 0;
    let progress = true;
    while (progress && dealt < this.waiting.length) {
      progress = false;
      for (const consumer of this.consumers) {
        const message = this.waiting[dealt];
        if (message === undefined) break;
        if (consumer.inFlight.size >= consumer.maxInFlight) continue;
        dealt += 1;
        progress = true;
        this.deliver(consumer, message);
      }
    }
    this.waiting.splice(0, dealt);
    this.scheduleSweep();
  }

  private deliver(consumer: Consumer, message: Message): void {
    message.deliveries += 1;
    consumer.inFlight.add(message);
    const settle = (): boolean => {
      const settled = consumer.inFlight.settle(message);
      if (settled) this.schedulePump();
      return settled;
    };
    consumer.handler({
      payload: message.payload,
      deliveries: message.deliveries,
      ack: () => void settle(),
      retryLater: (delayMs) => {
        if (settle()) this.enqueueLater(message, Math.max(delayMs, 1));
      },
    });
  }

  private takeBack(consumer: Consumer): void {
    this.waiting.push(...consumer.inFlight.takeOverdue());
    if (consumer.maxInFlight === 0 && consumer.inFlight.size === 0) this.consumers.delete(consumer);
  }

  /** One timer for all: it rings when the oldest delivery of any consumer is due. */
  private scheduleSweep(): void {
    if (this.sweep !== undefined) return;
    const next = Math.min(...[...this.consumers].map(({ inFlight }) => inFlight.nextDeadline() ?? Infinity));
    if (next === Infinity) return;
    this.sweep = setTimeout(() => {
      this.sweep = undefined;
      for (const consumer of this.consumers) this.takeBack(consumer);
      this.schedulePump();
      this.scheduleSweep();
    }, Math.max(next - performance.now(), 1));
    this.sweep.unref();
  }
}
