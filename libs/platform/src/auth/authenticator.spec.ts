import { formatApiKey, hashSecret, newApiKey, parseApiKey } from './api-key';
import type { StoredApiKey } from './api-key.store';
import { createAuthenticator } from './authenticator';

const key = newApiKey();
const stored: StoredApiKey = { id: key.id, secretHash: hashSecret(key.secret), name: 'ci', namespace: 'default', role: 'operator' };

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
    expect(await authenticate(formatApiKey(key), undefined)).toEqual({ status: 'proven', principal: { actor: 'key:ci', namespace: 'default', role: 'operator', rateKey: key.id } });
    expect(await authenticate(formatApiKey(key), 'other')).toEqual({ status: 'outsider' });
    expect(await authenticate(formatApiKey({ ...key, secret: newApiKey().secret }), undefined)).toEqual({ status: 'unknown' });
    expect(await authenticate('nonsense', undefined)).toEqual({ status: 'unknown' });
  });

  it('asks once for requests that come together or shortly after, and again when what it knows is old', async () => {
    const { authenticate } = createAuthenticator({ findKey: find, cacheMs: 50 });
    await Promise.all(Array.from({ length: 20 }, () => authenticate(formatApiKey(key), undefined)));
    expect(find).toHaveBeenCalledTimes(1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await authenticate(formatApiKey(key), undefined);
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('keeps a bounded amount of what strangers send, and of no credentials at all', async () => {
    const verifyToken = jest.fn(async () => []);
    const { authenticate } = createAuthenticator({ findKey: find, verifyToken });
    const tokens = ['', ...Array.from({ length: 600 }, (_, index) => String(index).padEnd(10_000, 'x'))];
    for (const token of tokens) await authenticate(token, undefined);
    await authenticate(tokens[600] ?? '', undefined); // still known
    expect(verifyToken).toHaveBeenCalledTimes(601);
    await authenticate(tokens[1] ?? '', undefined); // not any more
    expect(verifyToken).toHaveBeenCalledTimes(602);
  });

  it('does not remember that the store was out of reach', async () => {
    find.mockRejectedValueOnce(new Error('away'));
    const { authenticate } = createAuthenticator({ findKey: find });
    await expect(authenticate(formatApiKey(key), undefined)).rejects.toThrow('away');
    expect((await authenticate(formatApiKey(key), undefined)).status).toBe('proven');
  });
});
