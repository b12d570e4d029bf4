/**
 * The bus carries wishes and hints; losing, doubling or delaying any of them costs time, never a result. Two adapters,
 * one contract: NATS (JetStream work queue, core subjects) and embedded (in process). Payloads are text.
 */
export interface Bus {
  /** At-least-once work queue: one consumer of the pool gets it; redelivered when not acknowledged in time. */
  publishStep(pool: string, runId: string, payload: string): Promise<void>;
  /** `maxInFlight` bounds how many deliveries are handled and not yet acknowledged. */
  consumeSteps(pool: string, maxInFlight: number, handler: (delivery: StepDelivery) => void): Promise<Subscription>;
  /** At-most-once broadcast to every process that listens to the topic. Never throws; dropped while disconnected, and when it is too large. */
  hint(topic: HintTopic, payload: string): void;
  /** The listener must not throw. */
  onHint(topic: HintTopic, listener: (payload: string) => void): Subscription;
  /** Request/reply with one responder; rejects with `BusUnavailable` on no responder or timeout. */
  request(subject: string, payload: string, timeoutMs: number): Promise<string>;
  /** Responders of one subject share its requests; a handler that rejects leaves its request unanswered. */
  respond(subject: string, handler: (payload: string) => Promise<string>): Promise<Subscription>;
  /**
   * Events for outside subscribers; resolves when the bus has them all. Re-sending is harmless (deduplicated by id). Without
   * any it resolves when there is something that they can subscribe to.
   */
  publishFeed(messages: readonly FeedMessage[]): Promise<void>;
  /** `connected` again after trouble: whoever published lately may want to publish again. */
  onReconnect(listener: () => void): () => void;
  /** False: hints are dropped, and whoever relies on them must look by itself. */
  isConnected(): boolean;
  /** Ends all subscriptions and the connection; what is not acknowledged is delivered to others. */
  close(): Promise<void>;
}

export type HintTopic = 'log' | 'decide' | 'executors' | 'projected' | 'cancel';

export interface StepDelivery {
  readonly payload: string;
  /** How often it has been delivered, from 1. */
  readonly deliveries: number;
  ack(): void;
  /** Give it back, to be delivered again after the delay. */
  retryLater(delayMs: number): void;
}

export interface FeedMessage {
  /** Below the feed's root `<prefix>.events`: `<namespace>.<run>.<type>`, made by `feedSubject`. */
  readonly subject: string;
  /** Of the event, the same whenever it is sent again. */
  readonly id: string;
  /** CloudEvents attributes (`ce-…`); single lines. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  /** Where the payload can be read as well: a message that is too large for the bus goes without it, with this as its `ce-dataref`. */
  readonly dataref: string;
}

export interface Subscription {
  close(): Promise<void>;
}

export class BusUnavailable extends Error {
  constructor(readonly code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BusUnavailable';
  }
}
