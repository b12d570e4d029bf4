import type { Msg } from '@nats-io/transport-node';
import type { StepDelivery } from '../bus.port';

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');

/** Where a delivery reports to. */
export interface DeliveryDesk {
  settle(delivery: NatsStepDelivery): void;
  answer(reply: string, body: Uint8Array): void;
}

/** Works after the consumer was closed as well: an acknowledgement is for the server, not for the consumer. */
export class NatsStepDelivery implements StepDelivery {
  readonly payload: string;
  private readonly reply: string;
  private settled = false;

  constructor(message: Msg, private readonly desk: DeliveryDesk) {
    this.payload = message.string();
    this.reply = message.reply ?? '';
  }

  /** `$JS.ACK.<stream>.<consumer>.<deliveries>…`, since 2.10 with domain and account before the stream. */
  get deliveries(): number {
    const tokens = this.reply.split('.');
    return Number(tokens[tokens.length > 9 ? 6 : 4]);
  }

  ack(): void {
    this.settle(ACK);
  }

  retryLater(delayMs: number): void {
    this.settle(encoder.encode(`-NAK {"delay":${Math.max(Math.round(delayMs * 1e6), 1)}}`));
  }

  private settle(body: Uint8Array): void {
    if (this.settled) return;
    this.settled = true;
    this.desk.settle(this);
    this.desk.answer(this.reply, body);
  }
}
