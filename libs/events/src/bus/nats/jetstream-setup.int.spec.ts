import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { JetStreamSetup } from './jetstream-setup';
import { NatsNames } from './nats-names';

const ROUNDS = 600;
const SETTINGS = {
  storage: 'file', replicas: 1, stepAgeMsMax: 60_000, ackWaitMs: 1_000, ackPendingMax: 100,
  feedAgeMsMax: 60_000, feedBytesMax: -1, feedDuplicateWindowMs: 1_000,
} as const;

let nats: ThrowawayNats;
let connections: NatsConnection[];

beforeAll(async () => {
  nats = await startThrowawayNats();
  connections = await Promise.all([connect({ servers: nats.url }), connect({ servers: nats.url })]);
});
afterAll(async () => {
  for (const connection of connections ?? []) await connection.close();
  await nats?.stop();
});

// one time in a hundred the server (2.9) tells the second that its subjects overlap with those of the first
it('[S3-03] makes a stream for two processes that ask for it at the same moment', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const setup = new JetStreamSetup(new NatsNames(`race-${process.pid}-${round}`, 1), SETTINGS, (trouble) => {
      throw new Error(trouble.message);
    });
    await Promise.all(connections.map((connection) => setup.ensureSteps(connection)));
  }
}, 60_000);
