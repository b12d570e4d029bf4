import { formatApiKey, hashSecret, newApiKey, parseApiKey } from './api-key';
import type { StoredApiKey } from './api-key.store';
import { createAuthenticator } from './authenticator';

const key = newApiKey();
const stored: StoredApiKey = { id: key.id, secretHash: hashSecret(key.secret), name: 'ci', namespace: 'default', role: 'operator' };

const HERE = '127.0.0.1';
const strangers = (count: number): string[] => Array.from({ length: count }, () => formatApiKey(newApiKey()));

describe('api keys', () => {
  it('are read back as they were written', () => {
    for (let index = 0; index < 200; index += 1) {
      const made = newApiKey();
      expect(parseApiKey(formatApiKey(made))).toEqual(made);
    }
  });

  it.each(['', 'fw_', `fw_${'a'.repeat(16)}`, `fw_${'a'.repeat(16)}_${'b'.repeat(42)}`, `fw_${'a'.repeat(15)}!_${'b'.repeat(43)}`, `${formatApiKey(key)}x`])('refuses %j', (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });
});

describe('createAuthenticator', () => {
  const find = jest.fn(async (id: string) => (id === key.id ? stored : undefined));
  beforeEach(() => find.mockClear());

  it('proves a key by its secret, and only in its own namespace', async () => {
    const { authenticate } = createAuthenticator({ findKey: find });
    expect(await authenticate(formatApiKey(key), undefined, HERE)).toEqual({ status: 'proven', principal: { actor: 'key:ci', namespace: 'default', role: 'operator', rateKey: key.id } });
    expect(await authenticate(formatApiKey(key), 'other', HERE)).toEqual({ status: 'outsider' });
    expect(await authenticate(formatApiKey({ ...key, secret: newApiKey().secret }), undefined, HERE)).toEqual({ status: 'unknown' });
    expect(await authenticate('nonsense', undefined, HERE)).toEqual({ status: 'unknown' });
  });

  it('asks once for requests that come together or shortly after, and again when what it knows is old', async () => {
    const { authenticate } = createAuthenticator({ findKey: find, cacheMs: 50 });
    await Promise.all(Array.from({ length: 20 }, () => authenticate(formatApiKey(key), undefined, HERE)));
    expect(find).toHaveBeenCalledTimes(1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await authenticate(formatApiKey(key), undefined, HERE);
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('keeps a bounded amount of what strangers send, and of no credentials at all', async () => {
    const verifyToken = jest.fn(async () => []);
    const { authenticate } = createAuthenticator({ findKey: find, verifyToken });
    const tokens = ['', ...Array.from({ length: 600 }, (_, index) => String(index).padEnd(10_000, 'x'))];
    for (const [index, token] of tokens.entries()) await authenticate(token, undefined, `10.0.0.${index % 100}`);
    await authenticate(tokens[600] ?? '', undefined, HERE); // still known
    expect(verifyToken).toHaveBeenCalledTimes(601);
    await authenticate(tokens[1] ?? '', undefined, HERE); // not any more
    expect(verifyToken).toHaveBeenCalledTimes(602);
  });

  it('does not remember that the store was out of reach', async () => {
    find.mockRejectedValueOnce(new Error('away'));
    const { authenticate } = createAuthenticator({ findKey: find });
    await expect(authenticate(formatApiKey(key), undefined, HERE)).rejects.toThrow('away');
    expect((await authenticate(formatApiKey(key), undefined, HERE)).status).toBe('proven');
  });

  it('looks a bounded number of unknown credentials up for one address, and those of others all the same', async () => {
    const { authenticate } = createAuthenticator({ findKey: find });
    const proofs = await Promise.all(strangers(1_000).map((credentials) => authenticate(credentials, undefined, HERE)));
    expect(find.mock.calls.length).toBeGreaterThanOrEqual(100);
    expect(find.mock.calls.length).toBeLessThan(200);
    expect(proofs.filter(({ status }) => status === 'limited')).toHaveLength(1_000 - find.mock.calls.length);
    expect(proofs.at(-1)).toEqual({ status: 'limited', waitSeconds: 1 });
    expect((await authenticate(formatApiKey(key), undefined, '127.0.0.2')).status).toBe('proven');
  });

  it('checks a key again that was good, though its address is flooded', async () => {
    const { authenticate } = createAuthenticator({ findKey: find, cacheMs: 50 });
    await authenticate(formatApiKey(key), undefined, HERE);
    await Promise.all(strangers(300).map((credentials) => authenticate(credentials, undefined, HERE)));
    await new Promise((resolve) => setTimeout(resolve, 80));
    await Promise.all(strangers(300).map((credentials) => authenticate(credentials, undefined, HERE)));
    find.mockClear();
    expect((await authenticate(formatApiKey(key), undefined, HERE)).status).toBe('proven');
    expect(find).toHaveBeenCalledTimes(1);
  });

  it('bears with one mistaken key that is sent again and again', async () => {
    const { authenticate } = createAuthenticator({ findKey: find });
    const [mistaken = ''] = strangers(1);
    for (let times = 0; times < 1_000; times += 1) expect((await authenticate(mistaken, undefined, HERE)).status).toBe('unknown');
    expect(find).toHaveBeenCalledTimes(1);
  });

  it('lets any number of good keys come from one address at their first time, also while the store is away', async () => {
    const keys = Array.from({ length: 1_000 }, () => newApiKey());
    const all = new Map(keys.map(({ id, secret }) => [id, { ...stored, id, secretHash: hashSecret(secret) }]));
    const { authenticate } = createAuthenticator({ findKey: async (id) => all.get(id) });
    for (const each of keys) expect((await authenticate(formatApiKey(each), undefined, HERE)).status).toBe('proven');
    const without = createAuthenticator({ findKey: () => Promise.reject(new Error('away')) });
    for (const each of keys) await expect(without.authenticate(formatApiKey(each), undefined, HERE)).rejects.toThrow('away');
  });
});
