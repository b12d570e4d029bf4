import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy, DeliverPolicy, DiscardPolicy, JetStreamApiCodes, JetStreamApiError, jetstreamManager, RetentionPolicy, StorageType,
  type ConsumerConfig, type JetStreamManager, type StreamConfig, type StreamInfo,
} from '@nats-io/jetstream';
import { MsgHdrsImpl, nanos, RequestError, type NatsConnection } from '@nats-io/transport-node';
import type { BusTrouble } from './nats-link';
import type { NatsNames } from './nats-names';

export interface StreamSettings {
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  /** A step nobody fetched in this time is dropped; the planner wishes it again. */
  readonly stepAgeMsMax: number;
  readonly ackWaitMs: number;
  readonly ackPendingMax: number;
  readonly feedAgeMsMax: number;
  /** -1: no limit. */
  readonly feedBytesMax: number;
  /** How long the feed remembers ids against doubles; costs the server memory for each. */
  readonly feedDuplicateWindowMs: number;
}

const API_TIMEOUT_MS = 5_000;
const LISTEN_PAUSES_MS = [20, 50, 100, 200];
const REMAKE_PAUSE_MS = 1_000;

type StreamWish = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;
type ConsumerWish = Partial<ConsumerConfig> & { readonly durable_name: string };

/**
 * Brings streams and consumers into being and checks what the server made of them: servers before 2.11 drop settings
 * that they do not know without a word, and a stream may be left over from another configuration.
 */
export class JetStreamSetup {
  /** Streams that do not store or give back, and when they were last made anew for it. */
  private readonly broken = new Set<string>();
  private readonly remadeAt = new Map<string, number>();

  constructor(
    private readonly names: NatsNames,
    private readonly settings: StreamSettings,
    private readonly onTrouble: (trouble: BusTrouble) => void,
  ) {}

  /** To be called when a stream cannot store or read: the next `ensure` looks whether anything is left of it. */
  storeFailed(stream: string): void {
    const sinceMs = performance.now() - (this.remadeAt.get(stream) ?? -Infinity);
    if (sinceMs > REMAKE_PAUSE_MS) this.broken.add(stream); // else it may be the echo of what was mended
  }

  async ensureSteps(connection: NatsConnection): Promise<void> {
    const { storage, replicas, stepAgeMsMax } = this.settings;
    await this.ensureStream(connection, {
      name: this.names.stepsStream,
      subjects: [this.names.stepsSubjects],
      retention: RetentionPolicy.Workqueue,
      storage: storage === 'file' ? StorageType.File : StorageType.Memory,
      num_replicas: replicas,
      max_age: nanos(stepAgeMsMax),
      duplicate_window: nanos(Math.min(stepAgeMsMax, 1_000)),
      discard: DiscardPolicy.Old,
    });
  }

  async ensureFeed(connection: NatsConnection): Promise<void> {
    const { storage, replicas, feedAgeMsMax, feedBytesMax, feedDuplicateWindowMs } = this.settings;
    await this.ensureStream(connection, {
      name: this.names.feedStream,
      subjects: [this.names.feedSubjects],
      retention: RetentionPolicy.Limits,
      storage: storage === 'file' ? StorageType.File : StorageType.Memory,
      num_replicas: replicas,
      max_age: nanos(feedAgeMsMax),
      max_bytes: feedBytesMax,
      duplicate_window: nanos(feedDuplicateWindowMs),
      discard: DiscardPolicy.Old,
    });
  }

  /** The durable consumer of a pool, and its stream if that is missing too. */
  async ensurePool(connection: NatsConnection, pool: string): Promise<void> {
    await this.ensureSteps(connection);
    const { ackWaitMs, ackPendingMax } = this.settings;
    await this.ensureConsumer(await manager(connection), {
      durable_name: this.names.poolConsumer(pool),
      filter_subject: this.names.poolSubjects(pool),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: ackPendingMax,
      max_deliver: -1,
    });
  }

  /** Steps of the pool that wait although another delivery is allowed; a consumer that is missing counts as well. */
  async poolHasUndelivered(connection: NatsConnection, pool: string): Promise<boolean> {
    const asked = (await manager(connection)).consumers.info(this.names.stepsStream, this.names.poolConsumer(pool));
    const info = await orMissing(asked, JetStreamApiCodes.ConsumerNotFound);
    return info === undefined || (info.num_pending > 0 && info.num_ack_pending < this.settings.ackPendingMax);
  }

  /** For a pool whose steps do not come out: makes its consumer go, and the stream too if its messages cannot be read. */
  async removePool(connection: NatsConnection, pool: string): Promise<void> {
    const jsm = await manager(connection);
    const stream = this.names.stepsStream;
    const { messages, first_seq: seq } = (await jsm.streams.info(stream)).state;
    if (messages > 0 && !(await isReadable(jsm, stream, seq))) this.storeFailed(stream);
    await jsm.consumers.delete(stream, this.names.poolConsumer(pool));
  }

  private async ensureStream(connection: NatsConnection, wish: StreamWish): Promise<void> {
    const jsm = await manager(connection);
    if (this.broken.has(wish.name)) await this.removeIfLost(jsm, wish);
    const found = await orMissing(jsm.streams.info(wish.name), JetStreamApiCodes.StreamNotFound);
    const present = found ?? (await createStream(jsm, wish));
    if (differences(wish, present.config).length > 0) {
      const { retention: _retention, storage: _storage, ...changeable } = wish;
      const config = found === undefined ? present.config : (await jsm.streams.update(wish.name, changeable)).config;
      this.complain(wish.name, differences(wish, config));
    }
    if (await this.isDeaf(connection, wish)) await this.listenAgain(jsm, wish);
  }

  /** A stream that another process is creating at this moment begins to listen a little later than it is seen. */
  private async isDeaf(connection: NatsConnection, wish: StreamWish): Promise<boolean> {
    for (const pauseMs of LISTEN_PAUSES_MS) {
      if (await this.listens(connection, wish)) return false;
      await sleep(pauseMs, undefined, { ref: false });
    }
    return !(await this.listens(connection, wish));
  }

  /**
   * A stream can exist and be deaf: when one is created while its namesake is still being deleted, the server (seen with
   * 2.9) cancels the subscription of the new one. The question is a message that a stream refuses and never stores.
   */
  private async listens(connection: NatsConnection, { subjects: [subject = ''] }: StreamWish): Promise<boolean> {
    const headers = MsgHdrsImpl.fromRecord({ 'Nats-Expected-Stream': ['none'] });
    try {
      await connection.request(subject.replace('>', 'listens.0'), '', { timeout: API_TIMEOUT_MS, headers });
      return true;
    } catch (error) {
      if (error instanceof RequestError && error.isNoResponders()) return false;
      throw error;
    }
  }

  private async listenAgain(jsm: JetStreamManager, { name, subjects }: StreamWish): Promise<void> {
    await jsm.streams.update(name, { subjects: subjects.map((subject) => subject.replace('.>', '-deaf.>')) });
    await jsm.streams.update(name, { subjects });
    throw new Error(`Stream ${name} did not listen to its subjects; they were set anew.`); // so that it is looked at again
  }

  /**
   * A stream whose folder vanished under the running server refuses every message until it is made anew. A full disk looks
   * the same from here, so the feed is given up only when nothing can be read from it; steps are wishes and always go.
   */
  private async removeIfLost(jsm: JetStreamManager, { name }: StreamWish): Promise<void> {
    this.broken.delete(name);
    const info = await orMissing(jsm.streams.info(name), JetStreamApiCodes.StreamNotFound);
    if (info === undefined) return;
    const { messages, first_seq: seq } = info.state;
    if (name === this.names.feedStream && messages > 0 && (await isReadable(jsm, name, seq))) return;
    this.remadeAt.set(name, performance.now());
    // the server forgets the stream even when it stumbles over files that are gone or just being written
    await jsm.streams.delete(name).catch((cause: unknown) => this.onTrouble({ code: 'SETUP_FAILED', message: `Deleting ${name} failed.`, cause }));
    this.onTrouble({ code: 'STREAM_REMADE', message: `${name} lost its files and was made anew.` });
  }

  private async ensureConsumer(jsm: JetStreamManager, wish: ConsumerWish): Promise<void> {
    const stream = this.names.stepsStream;
    const found = await orMissing(jsm.consumers.info(stream, wish.durable_name), JetStreamApiCodes.ConsumerNotFound);
    const present = found ?? (await jsm.consumers.add(stream, wish));
    if (differences(wish, present.config).length === 0) return;
    const config = found === undefined ? present.config : (await jsm.consumers.update(stream, wish.durable_name, wish)).config;
    this.complain(`${stream}/${wish.durable_name}`, differences(wish, config));
  }

  private complain(name: string, differing: readonly string[]): void {
    if (differing.length === 0) return;
    this.onTrouble({ code: 'SETTINGS_DIFFER', message: `${name} is not as it was asked for: ${differing.join(', ')}` });
  }
}

const manager = (connection: NatsConnection): Promise<JetStreamManager> =>
  jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS });

/**
 * Two processes may create at once. To the second the server says that all is well, or (seen with 2.9) that the subjects
 * overlap: with those of the stream that it has just created for the first.
 */
const createStream = async (jsm: JetStreamManager, wish: StreamWish): Promise<StreamInfo> => {
  try {
    return await jsm.streams.add(wish);
  } catch (error) {
    const created = await orMissing(jsm.streams.info(wish.name), JetStreamApiCodes.StreamNotFound);
    if (created === undefined) throw error;
    return created;
  }
};

const isReadable = (jsm: JetStreamManager, stream: string, seq: number): Promise<boolean> =>
  jsm.streams.getMessage(stream, { seq }).then((message) => message !== null, () => false);

const orMissing = async <T>(asked: Promise<T>, missing: number): Promise<T | undefined> => {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === missing) return undefined;
    throw error;
  }
};

/** `setting: wished ≠ found` for every setting that was asked for and is not there. */
export const differences = (wish: object, found: object): string[] => {
  const actual = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wish)
    .map(([setting, wished]) => ({ setting, wished: JSON.stringify(wished), found: JSON.stringify(actual.get(setting)) }))
    .filter(({ wished, found: has }) => wished !== has)
    .map(({ setting, wished, found: has }) => `${setting}: ${wished} ≠ ${has ?? 'nothing'}`);
};
