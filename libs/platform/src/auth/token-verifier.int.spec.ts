import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { createTokenVerifier, IssuerUnavailable, type TokenVerifier } from './token-verifier';

let issuer: Server;
let url: string;
let verify: TokenVerifier;
let isUp = true;
const published: object[] = [];

const newKey = async (kid: string): Promise<CryptoKey> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  published.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' });
  return privateKey;
};
const sign = (key: CryptoKey, kid: string, roles: unknown = { default: 'viewer' }): Promise<string> =>
  new SignJWT({ foldwork: roles }).setProtectedHeader({ alg: 'ES256', kid }).setIssuer(url).setAudience('foldwork').setSubject('anna').setExpirationTime('1h').sign(key);

/** As if so much time had passed since the keys were fetched; the tokens' own times are not touched. */
const later = (ms: number): void => {
  const then = Date.now() + ms;
  jest.spyOn(Date, 'now').mockReturnValue(then);
};

beforeEach(async () => {
  isUp = true;
  published.length = 0;
  issuer = createServer((request, response) => {
    if (!isUp) return void response.destroy();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: published } : { issuer: url, jwks_uri: `${url}/jwks` }));
  });
  issuer.listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  verify = createTokenVerifier({ issuer: url, audience: 'foldwork', rolesClaim: 'foldwork' });
});
afterEach(async () => {
  jest.restoreAllMocks();
  issuer.closeAllConnections();
  issuer.close();
  await once(issuer, 'close');
});

describe('tokens while the issuer is away', () => {
  it('are still accepted when somebody asks with a key that nobody knows', async () => {
    const token = await sign(await newKey('k1'), 'k1');
    expect(await verify(token)).toHaveLength(1);
    isUp = false;
    later(60_000);
    const { privateKey: strange } = await generateKeyPair('ES256');
    await expect(verify(await sign(strange, 'strange'))).rejects.toThrow(IssuerUnavailable);
    expect(await verify(token)).toHaveLength(1);
  });

  it('are accepted when it is back, though it was away at the first', async () => {
    const token = await sign(await newKey('k1'), 'k1');
    isUp = false;
    await expect(verify(token)).rejects.toThrow(IssuerUnavailable);
    isUp = true;
    expect(await verify(token)).toHaveLength(1);
  });

  it('are accepted with a key that the issuer has changed to', async () => {
    expect(await verify(await sign(await newKey('k1'), 'k1'))).toHaveLength(1);
    later(60_000);
    published.length = 0;
    expect(await verify(await sign(await newKey('k2'), 'k2'))).toHaveLength(1);
  });
});

it('takes no roles from a claim that is no map, nor in a namespace that is no name', async () => {
  const key = await newKey('k1');
  for (const roles of [['admin'], 'admin', null, { 'two\nlines': 'admin', '': 'admin', [`n${'n'.repeat(63)}`]: 'admin', 'a/b': 'admin' }]) {
    expect(await verify(await sign(key, 'k1', roles))).toEqual([]);
  }
  expect(await verify(await sign(key, 'k1', { 'team-1': 'operator', other: 'root' }))).toEqual([{ actor: 'user:anna', namespace: 'team-1', role: 'operator', rateKey: 'user:anna' }]);
});
