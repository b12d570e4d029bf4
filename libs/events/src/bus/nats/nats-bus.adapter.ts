import { setTimeout as sleep } from 'node:timers/promises';
import { RequestError, type NatsConnection, type Subscription as NatsSubscription } from '@nats-io/transport-node';
import { BusUnavailable, type Bus, type FeedMessage, type HintTopic, type StepDelivery, type Subscription } from '../bus.port';
import { FeedPublisher } from './feed-publisher';
import { JetStreamSetup, type StreamSettings } from './jetstream-setup';
import { type BusTrouble, NatsLink } from './nats-link';
import { NatsNames } from './nats-names';
import { isTooLarge, tooLarge } from './payload-limit';
import { Repair } from './repair';
import { StepPublisher } from './step-publisher';
import { StepPullConsumer } from './step-pull.consumer';

export interface NatsBusOptions extends Partial<StreamSettings> {
  /** One URL or several of the same cluster. */
  readonly servers: string | readonly string[];
  readonly name: string;
  /** Path of a `.creds` file; else credentials are looked for in the URLs. */
  readonly credentialsFile?: string | undefined;
  /** In front of every subject and stream; one per installation. */
  readonly prefix?: string;
  /** Subjects per pool. */
  readonly partitions?: number;
  /** How often the server tells that a waiting consumer is alive; after 2.5 times that it is started anew. */
  readonly heartbeatMs?: number;
  /** How long `connectNatsBus` waits for the server before it returns a bus that is not connected yet. */
  readonly connectWaitMs?: number;
  /** Called for everything worth a line in the log; the bus goes on by itself. */
  readonly onTrouble?: (trouble: BusTrouble) => void;
}

/** Of `consumeSteps`; the setting up goes on after it. */
const SETUP_WAIT_MS = 5_000;
const DAY_MS = 24 * 3_600_000;
const DEFAULTS: StreamSettings = {
  storage: 'file',
  replicas: 1,
  stepAgeMsMax: 3_600_000,
  ackWaitMs: 30_000,
  ackPendingMax: 20_000,
  feedAgeMsMax: 7 * DAY_MS,
  feedBytesMax: 10 * 1024 ** 3,
  feedDuplicateWindowMs: 30_000,
};

/**
 * Connects to NATS and keeps connected for ever. Does not fail when no server answers: the bus comes back unconnected
 * and goes on trying. Throws `TypeError` for a prefix that is none.
 */
export const connectNatsBus = async (options: NatsBusOptions): Promise<NatsBus> => {
  const bus = new NatsBus(options);
  await bus.whenConnected(options.connectWaitMs ?? 2_000);
  return bus;
};

export class NatsBus implements Bus {
  private readonly names: NatsNames;
  private readonly settings: StreamSettings;
  private readonly link: NatsLink;
  private readonly setup: JetStreamSetup;
  private readonly streams: readonly [steps: Repair, feed: Repair];
  private readonly steps: StepPublisher;
  private readonly feed: FeedPublisher;
  private readonly consumers = new Set<StepPullConsumer>();
  private readonly reconnected = new Set<() => void>();
  private readonly onTrouble: (trouble: BusTrouble) => void;

  constructor(private readonly options: NatsBusOptions) {
    this.onTrouble = options.onTrouble ?? (() => undefined);
    this.settings = settingsOf(options);
    this.names = new NatsNames(options.prefix ?? 'foldwork', options.partitions ?? 1);
    this.setup = new JetStreamSetup(this.names, this.settings, this.onTrouble);
    const { servers, name, credentialsFile } = options;
    this.link = new NatsLink({ servers, name, onTrouble: this.onTrouble, ...(credentialsFile !== undefined && { credentialsFile }) });
    this.streams = [this.repair((nc) => this.setup.ensureSteps(nc)), this.repair((nc) => this.setup.ensureFeed(nc))];
    const [steps, feed] = this.streams;
    this.steps = new StepPublisher(this.link, steps, () => this.setup.storeFailed(this.names.stepsStream), this.onTrouble);
    this.feed = new FeedPublisher(this.link, this.names, feed, () => this.setup.storeFailed(this.names.feedStream));
    this.announceReconnects();
  }

  async publishStep(pool: string, runId: string, payload: string): Promise<void> {
    return this.steps.publish(this.names.step(pool, runId), payload);
  }

  /** Resolves when the consumer exists, or at once while there is no connection. */
  async consumeSteps(pool: string, maxInFlight: number, handler: (delivery: StepDelivery) => void): Promise<Subscription> {
    const repair = this.repair((connection) => this.setup.ensurePool(connection, pool));
    await Promise.race([repair.mend(), sleep(SETUP_WAIT_MS, undefined, { ref: false })]);
    const consumer = new StepPullConsumer({
      link: this.link,
      pool: repair,
      hasUndelivered: (connection) => this.setup.poolHasUndelivered(connection, pool),
      remove: (connection) => this.setup.removePool(connection, pool),
      pullSubject: `$JS.API.CONSUMER.MSG.NEXT.${this.names.stepsStream}.${this.names.poolConsumer(pool)}`,
      maxInFlight,
      ackWaitMs: this.settings.ackWaitMs,
      heartbeatMs: this.options.heartbeatMs ?? 5_000,
      handler,
      onTrouble: this.onTrouble,
    });
    this.consumers.add(consumer);
    return {
      close: () => {
        this.consumers.delete(consumer);
        return consumer.close();
      },
    };
  }

  hint(topic: HintTopic, payload: string): void {
    const connection = this.link.current();
    if (connection !== undefined && !isTooLarge(connection, payload)) connection.publish(this.names.hint(topic), payload);
  }

  onHint(topic: HintTopic, listener: (payload: string) => void): Subscription {
    return this.subscribe((connection) =>
      connection.subscribe(this.names.hint(topic), {
        callback: (error, message) => {
          if (error === null) listener(message.string());
        },
      }));
  }

  async request(subject: string, payload: string, timeoutMs: number): Promise<string> {
    const connection = this.link.require();
    if (isTooLarge(connection, payload)) throw tooLarge(connection, `A request on ${subject}`, payload);
    try {
      return (await connection.request(this.names.service(subject), payload, { timeout: timeoutMs })).string();
    } catch (cause) {
      const code = cause instanceof RequestError && cause.isNoResponders() ? 'BUS_NO_RESPONDER' : 'BUS_TIMEOUT';
      throw new BusUnavailable(code, `No answer on ${subject}.`, { cause });
    }
  }

  /** Several responders on a subject share the requests. */
  async respond(subject: string, handler: (payload: string) => Promise<string>): Promise<Subscription> {
    const name = this.names.service(subject);
    const subscription = this.subscribe((connection) =>
      connection.subscribe(name, {
        queue: 'responders',
        callback: (error, message) => {
          if (error !== null) return;
          handler(message.string())
            .then((answer) => message.respond(answer)) // throws when it is too large
            .catch((cause: unknown) => this.onTrouble({ code: 'SERVER_ERROR', message: `The responder of ${subject} failed.`, cause }));
        },
      }));
    await this.link.current()?.flush(); // a request sent after this finds it
    return subscription;
  }

  publishFeed(messages: readonly FeedMessage[]): Promise<void> {
    return this.feed.publish(messages);
  }

  onReconnect(listener: () => void): () => void {
    this.reconnected.add(listener);
    return () => this.reconnected.delete(listener);
  }

  isConnected(): boolean {
    return this.link.isUp();
  }

  /** True as soon as the connection is up, false when it is not after the time. */
  whenConnected(timeoutMs: number): Promise<boolean> {
    if (this.link.isUp()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), timeoutMs);
      const settle = (answer: boolean): void => {
        clearTimeout(timer);
        detach();
        resolve(answer);
      };
      const detach = this.link.onUp(() => settle(true));
    });
  }

  async close(): Promise<void> {
    for (const repair of this.streams) repair.close();
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    this.steps.close();
    this.feed.close();
    this.reconnected.clear();
    await this.link.close();
  }

  private repair(ensure: (connection: NatsConnection) => Promise<void>): Repair {
    return new Repair(this.link, ensure, this.onTrouble);
  }

  /** After the streams are whole again: a listener's first act may be to publish. One that came later missed nothing. */
  private announceReconnects(): void {
    this.link.onUp(() => {
      const waiting = [...this.reconnected];
      void this.streams[0].mend().then(() => waiting.filter((listener) => this.reconnected.has(listener)).forEach((listener) => listener()));
    });
  }

  /** A core subscription that follows the link; the library renews it over reconnects of one connection. */
  private subscribe(make: (connection: NatsConnection) => NatsSubscription): Subscription {
    let current: NatsSubscription | undefined;
    const detach = this.link.onUp((connection, reason) => {
      if (reason === 'new connection') current = make(connection);
    });
    return {
      close: () => {
        detach();
        current?.unsubscribe();
        return Promise.resolve();
      },
    };
  }
}

const settingsOf = (options: NatsBusOptions): StreamSettings => ({
  storage: options.storage ?? DEFAULTS.storage,
  replicas: options.replicas ?? DEFAULTS.replicas,
  stepAgeMsMax: options.stepAgeMsMax ?? DEFAULTS.stepAgeMsMax,
  ackWaitMs: options.ackWaitMs ?? DEFAULTS.ackWaitMs,
  ackPendingMax: options.ackPendingMax ?? DEFAULTS.ackPendingMax,
  feedAgeMsMax: options.feedAgeMsMax ?? DEFAULTS.feedAgeMsMax,
  feedBytesMax: options.feedBytesMax ?? DEFAULTS.feedBytesMax,
  feedDuplicateWindowMs: options.feedDuplicateWindowMs ?? DEFAULTS.feedDuplicateWindowMs,
});
