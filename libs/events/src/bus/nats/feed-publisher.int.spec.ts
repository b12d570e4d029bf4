import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { event } from '../bus.contract';
import type { FeedMessage } from '../bus.port';
import { connectNatsBus, type NatsBus } from './nats-bus.adapter';

const PREFIX = 'frames';
/** Byte counts that are wrong by one would make the next message a part of this one, or a command of it. */
const ODD_TEXTS = ['', '\r\n', 'PUB frames.events.a.b.c 0\r\n\r\n', '\ud800', '\udc00 low first', 'high last \udbff', '😀'.repeat(500), '\u0000\u2028\ufeff', 'é'.repeat(4_000)];

/** Stands before the server and hangs up in the middle of what a client sends, wherever that is. */
class Cutter {
  bytesLeft = Infinity;

  private constructor(private readonly server: Server, readonly url: string) {}

  static async before(url: string): Promise<Cutter> {
    const { hostname, port } = new URL(url);
    const server = createServer((client) => {
      const upstream = dial(Number(port), hostname, () => upstream.pipe(client));
      client.on('data', (bytes) => cutter.pass(bytes, client, upstream));
      for (const socket of [client, upstream]) socket.on('error', () => undefined).on('close', () => [client, upstream].forEach((each) => each.destroy()));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cutter = new Cutter(server, `nats://127.0.0.1:${(server.address() as AddressInfo).port}`); // listens on TCP
    return cutter;
  }

  private pass(bytes: Buffer, client: Socket, upstream: Socket): void {
    const passed = bytes.subarray(0, this.bytesLeft);
    this.bytesLeft -= passed.length;
    if (this.bytesLeft > 0) return void upstream.write(passed);
    upstream.end(passed);
    client.destroy();
    this.bytesLeft = Infinity;
  }

  close(): void {
    this.server.close();
  }
}

let nats: ThrowawayNats;
let cutter: Cutter;
let bus: NatsBus;
beforeAll(async () => {
  nats = await startThrowawayNats();
  cutter = await Cutter.before(nats.url);
  bus = await connectNatsBus({ servers: cutter.url, name: 'auditor', prefix: PREFIX, onTrouble: () => undefined });
});
afterAll(async () => {
  await bus.close();
  cutter.close();
  await nats.stop();
});

/** As the auditor does it: again until it is through. */
const publish = async (messages: readonly FeedMessage[]): Promise<void> => {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await bus.publishFeed(messages).then(() => true, () => false)) return;
    await sleep(50);
  }
  throw new Error('the feed never takes it');
};

it('stores each message once, whole and in order, wherever in a batch the connection breaks', async () => {
  const batches = [1, 7, 60, 250, 300, 3_000, 9_999, 30_000, 100_000].map((cutAt, batch) => ({
    cutAt,
    messages: Array.from({ length: 300 }, (_, index) => {
      const number = batch * 300 + index;
      return { ...event(number), payload: `${number} ${ODD_TEXTS[number % ODD_TEXTS.length] ?? ''}` };
    }),
  }));
  await publish([]);
  for (const { cutAt, messages } of batches) {
    cutter.bytesLeft = cutAt;
    await publish(messages);
    expect(cutter.bytesLeft).toBe(Infinity); // it was cut
  }
  const connection = await connect({ servers: nats.url });
  const { streams } = await jetstreamManager(connection);
  const all = batches.flatMap(({ messages }) => messages);
  expect((await streams.info('FRAMES_EVENTS')).state).toMatchObject({ messages: all.length, last_seq: all.length });
  for (const [index, { id, payload }] of all.entries()) {
    const stored = await streams.getMessage('FRAMES_EVENTS', { seq: index + 1 });
    expect([stored?.header.get('Nats-Msg-Id'), stored?.header.get('ce-subject'), stored?.string()]).toEqual([id, 'größe', payload.toWellFormed()]);
  }
  await connection.close();
}, 60_000);
