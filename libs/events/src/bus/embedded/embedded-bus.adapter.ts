import { BusUnavailable, type Bus, type FeedMessage, type HintTopic, type StepDelivery, type Subscription } from '../bus.port';
import { plainSubject } from '../subjects';
import { type DeliveryFate, type DeliveryFaults, deliveryFates } from './delivery-faults';
import { EmbeddedFeed, type FeedListener } from './embedded-feed';
import { EmbeddedStepQueue } from './embedded-step-queue';

export interface EmbeddedBusOptions {
  /** A step that is not acknowledged in this time is delivered again. */
  readonly ackWaitMs?: number;
  /** For tests: lose, double and delay steps and hints. */
  readonly faults?: DeliveryFaults;
  /** How many ids of the feed are remembered against doubles. */
  readonly feedIdsMax?: number;
}

type Responder = (payload: string) => Promise<string>;

const NOTHING = Promise.resolve();

/**
 * The bus inside one process: for the standalone server, and as the twin of NATS in tests. It keeps nothing across a
 * restart; what is lost is repaired from the log like after any other loss.
 */
export class EmbeddedBus implements Bus {
  private readonly queues = new Map<string, EmbeddedStepQueue>();
  private readonly listeners = new Map<HintTopic, Set<(payload: string) => void>>();
  private readonly responders = new Map<string, Set<Responder>>();
  private readonly reconnected = new Set<() => void>();
  private readonly feed: EmbeddedFeed;
  private readonly fate: () => DeliveryFate;
  private readonly ackWaitMs: number;
  private state: 'connected' | 'disconnected' | 'closed' = 'connected';

  constructor({ ackWaitMs = 30_000, faults, feedIdsMax = 10_000 }: EmbeddedBusOptions = {}) {
    this.ackWaitMs = ackWaitMs;
    this.fate = deliveryFates(faults);
    this.feed = new EmbeddedFeed(feedIdsMax);
  }

  publishStep(pool: string, _runId: string, payload: string): Promise<void> {
    if (this.state !== 'connected') return this.unavailable();
    this.queue(pool).publish(payload);
    return NOTHING;
  }

  consumeSteps(pool: string, maxInFlight: number, handler: (delivery: StepDelivery) => void): Promise<Subscription> {
    return Promise.resolve(this.queue(pool).consume(maxInFlight, handler));
  }

  hint(topic: HintTopic, payload: string): void {
    if (this.state !== 'connected') return;
    const listeners = this.listeners.get(topic);
    if (listeners === undefined || listeners.size === 0) return;
    for (const delayMs of this.fate()) {
      const deliver = (): void => listeners.forEach((listener) => listener(payload));
      if (delayMs > 0) setTimeout(deliver, delayMs).unref();
      else setImmediate(deliver);
    }
  }

  onHint(topic: HintTopic, listener: (payload: string) => void): Subscription {
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners.add(listener));
    return closing(() => listeners.delete(listener));
  }

  async request(subject: string, payload: string, timeoutMs: number): Promise<string> {
    const [responder] = this.responders.get(subject) ?? [];
    if (this.state !== 'connected') return this.unavailable();
    if (responder === undefined) throw new BusUnavailable('BUS_NO_RESPONDER', `Nobody answers on ${subject}.`);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new BusUnavailable('BUS_TIMEOUT', `No answer on ${subject} in ${timeoutMs} ms.`)), timeoutMs);
    });
    // a responder that fails does not answer, as on NATS: the caller learns it by its timeout
    const answer = responder(payload).catch(() => new Promise<never>(() => undefined));
    return Promise.race([answer, timeout]).finally(() => clearTimeout(timer));
  }

  respond(subject: string, handler: Responder): Promise<Subscription> {
    const responders = this.responders.get(subject) ?? new Set();
    this.responders.set(subject, responders.add(handler));
    return Promise.resolve(closing(() => responders.delete(handler)));
  }

  async publishFeed(messages: readonly FeedMessage[]): Promise<void> {
    if (this.state !== 'connected') return this.unavailable();
    for (const message of messages) plainSubject(message.subject);
    for (const message of messages) this.feed.publish(message);
  }

  /** The feed inside the process: every message once, in order. */
  onFeed(listener: FeedListener): Subscription {
    return this.feed.subscribe(listener);
  }

  onReconnect(listener: () => void): () => void {
    this.reconnected.add(listener);
    return () => this.reconnected.delete(listener);
  }

  isConnected(): boolean {
    return this.state === 'connected';
  }

  /** For tests: nothing can be published until `reconnect`. What was accepted before stays. */
  disconnect(): void {
    if (this.state === 'connected') this.state = 'disconnected';
  }

  reconnect(): void {
    if (this.state !== 'disconnected') return;
    this.state = 'connected';
    for (const listener of this.reconnected) listener();
  }

  close(): Promise<void> {
    this.state = 'closed';
    for (const queue of this.queues.values()) queue.close();
    this.listeners.clear();
    this.responders.clear();
    this.reconnected.clear();
    return NOTHING;
  }

  private queue(pool: string): EmbeddedStepQueue {
    const known = this.queues.get(pool);
    if (known !== undefined) return known;
    const queue = new EmbeddedStepQueue({ ackWaitMs: this.ackWaitMs, fate: this.fate });
    this.queues.set(pool, queue);
    return queue;
  }

  private unavailable(): Promise<never> {
    return Promise.reject(new BusUnavailable('BUS_DISCONNECTED', `The bus is ${this.state}.`));
  }
}

const closing = (release: () => void): Subscription => ({
  close: () => {
    release();
    return NOTHING;
  },
});
