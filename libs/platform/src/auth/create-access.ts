import type { Pool } from 'pg';
import type { Config } from '../config/settings.config';
import type { AccessOptions } from '../http/access.guard';
import { RateLimiter } from '../http/rate-limiter';
import { findApiKey } from './api-key.store';
import { createAuthenticator, type Authenticator } from './authenticator';
import { createTokenVerifier } from './token-verifier';

type AccessSettings = Pick<Config, 'auth' | 'namespace' | 'oidcIssuer' | 'oidcAudience' | 'oidcRolesClaim' | 'rateLimitPerSecond'>;

/** Who may call the gateway, by the settings: API keys of this database, and tokens of the issuer where one is set. */
export const createAccess = (settings: AccessSettings, pool: Pick<Pool, 'query'>): AccessOptions => ({
  authenticator: settings.auth ? authenticatorOf(settings, pool) : undefined,
  everybody: { actor: 'anonymous', namespace: settings.namespace, role: 'admin', rateKey: 'anonymous' },
  limiter: new RateLimiter(settings.rateLimitPerSecond),
});

const authenticatorOf = ({ oidcIssuer, oidcAudience, oidcRolesClaim }: AccessSettings, pool: Pick<Pool, 'query'>): Authenticator => {
  const verifyToken = oidcIssuer === undefined ? undefined : createTokenVerifier({ issuer: oidcIssuer, audience: oidcAudience, rolesClaim: oidcRolesClaim });
  return createAuthenticator({ findKey: (id) => findApiKey(pool, id), ...(verifyToken && { verifyToken }) });
};
