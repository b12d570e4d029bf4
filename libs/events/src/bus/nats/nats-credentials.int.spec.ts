import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
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

describe('a server that works with JWTs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foldwork-creds-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is told who comes by the credentials file, which may come later or be replaced', async () => {
    const [operator, system, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount(), nkeys.createUser()];
    const unlimited = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1, subs: -1, conn: -1, payload: -1, data: -1, exports: -1, imports: -1, wildcards: true, leaf: -1 };
    const preloaded = [system, account].map((each) => `${each.getPublicKey()}: ${jwt(operator, each, { type: 'account', version: 2, limits: each === account ? unlimited : {} })}`);
    const config = join(folder, 'nats.conf');
    await writeFile(config, `operator: ${jwt(operator, operator, { type: 'operator', version: 2 })}\nsystem_account: ${system.getPublicKey()}\nresolver: MEMORY\nresolver_preload: { ${preloaded.join(', ')} }\n`);
    nats = await startThrowawayNats({ args: ['-c', config] });
    const path = join(folder, 'foldwork.creds');
    const { bus, troubles } = await openWith(path);
    expect(bus.isConnected()).toBe(false);
    expect(troubles[0]).toContain(`ENOENT: no such file or directory, open '${path}'`);
    await writeFile(path, creds(jwt(account, user, { type: 'user', version: 2, pub: {}, sub: {}, subs: -1, data: -1, payload: -1 }), user));
    expect(await bus.whenConnected(10_000)).toBe(true);
    await bus.close();
  });
});

const openWith = async (path: string) => {
  const troubles: string[] = [];
  const bus = await connectNatsBus({ servers: nats.url, name: 'guest', connectWaitMs: 100, credentialsFile: path, onTrouble: ({ message }) => troubles.push(message) });
  return { bus, troubles };
};

type KeyPair = ReturnType<typeof nkeys.createUser>;

const base64 = (content: string | Uint8Array): string => Buffer.from(content).toString('base64url');

/** As `nsc` signs it. */
const jwt = (issuer: KeyPair, subject: KeyPair, claims: object): string => {
  const body = { jti: 'test', iat: Math.floor(Date.now() / 1_000), iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name: 'test', nats: claims };
  const text = `${base64(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }))}.${base64(JSON.stringify(body))}`;
  return `${text}.${base64(issuer.sign(Buffer.from(text)))}`;
};

const creds = (userJwt: string, user: KeyPair): string =>
  `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${Buffer.from(user.getSeed()).toString()}\n------END USER NKEY SEED------\n`;
