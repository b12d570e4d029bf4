import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { busContract, type BusUnderTest, type StoredMessage } from '../bus.contract';
import { connectNatsBus } from './nats-bus.adapter';

let nats: ThrowawayNats;
let outside: NatsConnection;
let spaces = 0;

beforeAll(async () => {
  nats = await startThrowawayNats();
  outside = await connect({ servers: nats.url });
});
afterAll(async () => {
  await outside?.close();
  await nats?.stop();
});

const open = async (): Promise<BusUnderTest> => {
  spaces += 1;
  const prefix = `contract-${process.pid}-${spaces}`;
  const ackWaitMs = 750; // long enough for a machine that is busy with other tests
  const troubles: string[] = [];
  const [here, there] = await Promise.all(
    ['here', 'there'].map((name) =>
      connectNatsBus({ servers: nats.url, name, prefix, ackWaitMs, onTrouble: ({ code, message, cause }) => troubles.push(`${code} ${message} ${String(cause ?? '')}`) })),
  );
  if (here === undefined || there === undefined) throw new Error('two buses were opened');
  return {
    here,
    there,
    ackWaitMs,
    readFeed: () => readFeed(prefix),
    close: async () => {
      await Promise.all([here.close(), there.close()]);
      expect(troubles.filter((trouble) => !trouble.startsWith('SERVER_ERROR The responder'))).toEqual([]);
    },
  };
};

/** As a subscriber from outside does it, with the plain client. */
const readFeed = async (prefix: string): Promise<StoredMessage[]> => {
  const stream = `${prefix.toUpperCase()}_EVENTS`;
  const manager = await jetstreamManager(outside);
  const { messages } = (await manager.streams.info(stream)).state;
  if (messages === 0) return [];
  await manager.consumers.add(stream, { durable_name: 'reader', ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All });
  const consumer = await jetstream(outside).consumers.get(stream, 'reader');
  const read: StoredMessage[] = [];
  for await (const message of await consumer.fetch({ max_messages: messages, expires: 5_000 })) {
    const { 'Nats-Msg-Id': id = '', ...headers } = Object.fromEntries([...(message.headers ?? [])].map(([key, [value = '']]) => [key, value]));
    read.push({ subject: message.subject.replace(`${prefix}.events.`, ''), id, headers, payload: message.string() });
  }
  return read;
};

busContract('the NATS bus', open);
