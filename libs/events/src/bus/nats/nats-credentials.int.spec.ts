import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { connectNatsBus } from './nats-bus.adapter';

let nats: ThrowawayNats;
afterEach(() => nats.stop());

const open = async (url: string) => {
  const troubles: string[] = [];
  const bus = await connectNatsBus({ servers: [url], name: 'guest', onTrouble: ({ code, message }) => troubles.push(`${code} ${message}`) });
  const isConnected = bus.isConnected();
  await bus.close();
  return { isConnected, troubles };
};
const as = (userInfo: string): string => nats.url.replace('//', `//${userInfo}@`);

it('names itself to the server as the URL says, by user and password', async () => {
  nats = await startThrowawayNats({ args: ['--user', 'foldwork', '--pass', 'p@ss/word'] });
  expect(await open(as('foldwork:p%40ss%2Fword'))).toEqual({ isConnected: true, troubles: [] });
});

it('names itself to the server as the URL says, by a token', async () => {
  nats = await startThrowawayNats({ args: ['--auth', 'sesame'] });
  expect(await open(as('sesame'))).toEqual({ isConnected: true, troubles: [] });
});

it('says where it was refused, or found nobody, and never with what', async () => {
  nats = await startThrowawayNats({ args: ['--user', 'foldwork', '--pass', 'right'] });
  const refused = await open(as('foldwork:wrong'));
  expect(refused.isConnected).toBe(false);
  expect(refused.troubles[0]).toBe(`CONNECT_FAILED NATS at ${nats.url} refuses the credentials.`);
  await nats.kill();
  const { troubles } = await open(as('foldwork:right'));
  expect(troubles[0]).toBe(`CONNECT_FAILED NATS is not reachable yet at ${nats.url}: connection refused.`);
});
