import {
  AckPolicy, DeliverPolicy, DiscardPolicy, JetStreamApiCodes, JetStreamApiError, jetstreamManager, RetentionPolicy, StorageType,
  type ConsumerConfig, type JetStreamManager, type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
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

type StreamWish = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;
type ConsumerWish = Partial<ConsumerConfig> & { readonly durable_name: string };

/**
 * Brings streams and consumers into being and checks what the server made of them: servers before 2.11 drop settings
 * that they do not know without a word, and a stream may be left over from another configuration.
 */
export class JetStreamSetup {
  constructor(
    private readonly names: NatsNames,
    private readonly settings: StreamSettings,
    private readonly onTrouble: (trouble: BusTrouble) => void,
  ) {}

  async ensureSteps(connection: NatsConnection): Promise<void> {
    const { storage, replicas, stepAgeMsMax } = this.settings;
    await this.ensureStream(await manager(connection), {
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
    await this.ensureStream(await manager(connection), {
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

  private async ensureStream(jsm: JetStreamManager, wish: StreamWish): Promise<void> {
    const found = await orMissing(jsm.streams.info(wish.name), JetStreamApiCodes.StreamNotFound);
    // two processes may create at once: the same settings are no error for the second
    const present = found ?? (await jsm.streams.add(wish));
    const differing = differences(wish, present.config);
    if (differing.length === 0) return;
    const { retention: _retention, storage: _storage, ...changeable } = wish;
    const config = found === undefined ? present.config : (await jsm.streams.update(wish.name, changeable)).config;
    this.complain(wish.name, differences(wish, config));
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
  jetstreamManager(connection, { checkAPI: false, timeout: 5_000 });

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
