import type { errors as JoseErrors, JWTPayload, JWTVerifyGetKey } from 'jose';
import { NAMESPACE, parseRole, type Principal } from './principal';

/** The identities a token proves, one per namespace; none when it is not valid. Rejects when the issuer is out of reach. */
export type TokenVerifier = (token: string) => Promise<readonly Principal[]>;

export interface OidcOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Claim that maps namespaces to roles. */
  readonly rolesClaim: string;
}

/** The issuer cannot be asked for its keys right now. */
export class IssuerUnavailable extends Error {
  constructor(options?: ErrorOptions) {
    super('the token issuer cannot be reached', options);
    this.name = 'IssuerUnavailable';
  }
}

/** Asymmetric ones only: with a shared secret every verifier could also sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/**
 * Verifies JWTs of an OIDC issuer; its keys are found by discovery at the first use and kept up to date by `jose`, which is
 * loaded then: most gateways know no tokens.
 */
export const createTokenVerifier = (options: OidcOptions): TokenVerifier => {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  // Found once, they stay: what `jose` knows of them has to last while the issuer is away.
  const findKeys = (): Promise<JWTVerifyGetKey> =>
    (keys ??= discoverKeys(options.issuer).catch((error: unknown) => {
      keys = undefined;
      throw error;
    }));
  return async (token) => {
    const { errors, jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, await findKeys(), {
        issuer: options.issuer, audience: options.audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'],
      });
      return principalsOf(payload, options.rolesClaim);
    } catch (error) {
      if (isTokenFault(error, errors)) return [];
      throw new IssuerUnavailable({ cause: error });
    }
  };
};

/** `jose` reports its own trouble of fetching keys as these two; all its other errors are faults of the token. */
const isTokenFault = (error: unknown, errors: typeof JoseErrors): boolean =>
  error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid)
  && error.code !== 'ERR_JOSE_GENERIC';

const discoverKeys = async (issuer: string): Promise<JWTVerifyGetKey> => {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(5_000) });
  const found: unknown = response.ok ? await response.json() : undefined;
  const address = typeof found === 'object' && found !== null && 'jwks_uri' in found ? found.jwks_uri : undefined;
  if (typeof address !== 'string') throw new IssuerUnavailable();
  const { createRemoteJWKSet } = await import('jose');
  return createRemoteJWKSet(new URL(address), { timeoutDuration: 5_000 });
};

const principalsOf = (payload: JWTPayload, rolesClaim: string): Principal[] => {
  const roles = payload[rolesClaim];
  if (typeof roles !== 'object' || roles === null || Array.isArray(roles)) return [];
  return Object.entries(roles).flatMap(([namespace, held]) => {
    const role = parseRole(held);
    return role === undefined || !NAMESPACE.test(namespace) ? [] : [{ actor: `user:${payload.sub}`, namespace, role, rateKey: `user:${payload.sub}` }];
  });
};
