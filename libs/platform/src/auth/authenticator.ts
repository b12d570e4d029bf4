import { LRUCache } from 'lru-cache';
import { parseApiKey, secretMatches } from './api-key';
import type { StoredApiKey } from './api-key.store';
import type { Principal } from './principal';
import type { TokenVerifier } from './token-verifier';

/** `outsider`: a valid identity without any role in the namespace it asks for. */
export type Proof =
  | { readonly status: 'proven'; readonly principal: Principal }
  | { readonly status: 'unknown' }
  | { readonly status: 'outsider' };

/** Proves who asks. Rejects when the store of keys or the issuer is out of reach. */
export interface Authenticator {
  authenticate(credentials: string, namespace: string | undefined): Promise<Proof>;
}

export interface AuthenticatorOptions {
  readonly findKey: (id: string) => Promise<StoredApiKey | undefined>;
  readonly verifyToken?: TokenVerifier;
  /** A revoked key works for this long at most. */
  readonly cacheMs?: number;
}

const CACHED_MAX = 10_000;
/** Credentials come from anybody, and a header may have 16 KiB. */
const CACHED_CHARACTERS_MAX = 4_194_304;

/**
 * API keys and JWTs. A credential that was proven is remembered for a few seconds, refusals too, so that a busy client
 * costs one query every few seconds; requests that arrive together share one check.
 */
export const createAuthenticator = ({ findKey, verifyToken, cacheMs = 5_000 }: AuthenticatorOptions): Authenticator => {
  const cache = new LRUCache<string, Promise<readonly Principal[]>>({
    max: CACHED_MAX, ttl: cacheMs, maxSize: CACHED_CHARACTERS_MAX, sizeCalculation: (_proof, credentials) => Math.max(1, credentials.length),
  });
  const prove = (credentials: string): Promise<readonly Principal[]> => {
    const known = cache.get(credentials);
    if (known !== undefined) return known;
    const proof = proveOnce(credentials);
    cache.set(credentials, proof);
    proof.catch(() => cache.delete(credentials));
    return proof;
  };
  const proveOnce = async (credentials: string): Promise<readonly Principal[]> => {
    const key = parseApiKey(credentials);
    if (key === undefined) return verifyToken === undefined ? [] : verifyToken(credentials);
    const stored = await findKey(key.id);
    return stored !== undefined && secretMatches(key.secret, stored.secretHash) ? [principalOfKey(stored)] : [];
  };
  return {
    authenticate: async (credentials, namespace) => choose(await prove(credentials), namespace),
  };
};

const principalOfKey = ({ id, name, namespace, role }: StoredApiKey): Principal => ({
  actor: `key:${name}`, namespace, role, rateKey: id,
});

/** Without a wish, an identity that holds several namespaces acts in the first. */
const choose = (principals: readonly Principal[], namespace: string | undefined): Proof => {
  if (principals.length === 0) return { status: 'unknown' };
  const principal = namespace === undefined ? principals[0] : principals.find((each) => each.namespace === namespace);
  return principal === undefined ? { status: 'outsider' } : { status: 'proven', principal };
};
