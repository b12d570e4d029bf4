import { LRUCache } from 'lru-cache';
import { parseApiKey, secretMatches } from './api-key';
import type { StoredApiKey } from './api-key.store';
import { RateLimiter } from '../http/rate-limiter';
import type { Principal } from './principal';
import type { TokenVerifier } from './token-verifier';

/** `outsider`: a valid identity without any role in the namespace it asks for. `limited`: not looked at. */
export type Proof =
  | { readonly status: 'proven'; readonly principal: Principal }
  | { readonly status: 'unknown' }
  | { readonly status: 'outsider' }
  | { readonly status: 'limited'; readonly waitSeconds: number };

/** Proves who asks, and from which address. Rejects when the store of keys or the issuer is out of reach. */
export interface Authenticator {
  authenticate(credentials: string, namespace: string | undefined, address: string): Promise<Proof>;
}

export interface AuthenticatorOptions {
  readonly findKey: (id: string) => Promise<StoredApiKey | undefined>;
  readonly verifyToken?: TokenVerifier;
  /** A revoked key works for this long at most. */
  readonly cacheMs?: number;
}

const CACHED_MAX = 10_000;
/** Far more than somebody needs who has mistaken the key, and nothing to the store. */
const FUTILE_PER_SECOND = 100;
/** Credentials come from anybody, and a header may have 16 KiB. */
const CACHED_CHARACTERS_MAX = 4_194_304;

interface Check {
  readonly principals: Promise<readonly Principal[]>;
  proven: boolean;
}

/**
 * API keys and JWTs. A credential that was proven is remembered for a few seconds, refusals too, so that a busy client
 * costs one query every few seconds; requests that arrive together share one check. An address has a bounded number of
 * checks that come to nothing; what proves good costs it none, and what did so the last time is checked in any case.
 */
export const createAuthenticator = ({ findKey, verifyToken, cacheMs = 5_000 }: AuthenticatorOptions): Authenticator => {
  const checks = new LRUCache<string, Check>({
    max: CACHED_MAX, ttl: cacheMs, maxSize: CACHED_CHARACTERS_MAX, sizeCalculation: (_check, credentials) => Math.max(1, credentials.length),
    noDeleteOnStaleGet: true,
  });
  const futile = new RateLimiter(FUTILE_PER_SECOND);
  const check = (credentials: string, address: string): Check => {
    const made: Check = { principals: proveOnce(credentials), proven: false };
    checks.set(credentials, made);
    made.principals.then(
      ({ length }) => {
        made.proven = length > 0;
        if (made.proven) futile.giveBack(address);
      },
      () => {
        checks.delete(credentials);
        futile.giveBack(address);
      },
    );
    return made;
  };
  const proveOnce = async (credentials: string): Promise<readonly Principal[]> => {
    const key = parseApiKey(credentials);
    if (key === undefined) return verifyToken === undefined ? [] : verifyToken(credentials);
    const stored = await findKey(key.id);
    return stored !== undefined && secretMatches(key.secret, stored.secretHash) ? [principalOfKey(stored)] : [];
  };
  return {
    authenticate: async (credentials, namespace, address) => {
      const known = checks.get(credentials);
      const waitSeconds = known === undefined ? futile.take(address) : 0;
      if (waitSeconds > 0 && checks.peek(credentials, { allowStale: true })?.proven !== true) return { status: 'limited', waitSeconds };
      return choose(await (known ?? check(credentials, address)).principals, namespace);
    },
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
