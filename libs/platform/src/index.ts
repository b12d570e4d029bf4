export { SETTINGS, type Config, type Setting, type SettingName } from './config/settings.config';
export { ConfigInvalid, envExample, readConfig, type ConfigWith } from './config/read-config';
export { createLogger, type Logger, type LoggerOptions } from './logging/logger';
export { NestLoggerAdapter } from './logging/nest-logger.adapter';
export { HealthRegistry, type HealthCheck, type HealthReport, type Readiness } from './health/health.registry';
export { startHealthServer, type HealthServer } from './health/health.server';
export { ALL_MIGRATIONS } from './postgres/all-migrations';
export { APP_ROLE, createPool, type PoolOptions } from './postgres/create-pool';
export { revertMigrations, runMigrations, type MigrationClass, type MigrationOptions } from './postgres/run-migrations';
export { countApiKeys, createApiKey, findApiKey, revokeApiKey, type NewApiKey, type StoredApiKey } from './auth/api-key.store';
export { AUTH_MIGRATIONS } from './auth/auth-migrations';
export { createAuthenticator, type Authenticator, type Proof } from './auth/authenticator';
export { mayActAs, parseRole, ROLES, type Principal, type Role } from './auth/principal';
export { createAccess } from './auth/create-access';
export { createTokenVerifier, IssuerUnavailable, type OidcOptions, type TokenVerifier } from './auth/token-verifier';
export { AccessGuard, Caller, NeedsRole, Open, type AccessOptions } from './http/access.guard';
export { DtoPipe, makeDto } from './http/dto.pipe';
export { BODY_BYTES_MAX, JSON_DEPTH_MAX, parseJsonBody, parseJsonText } from './http/json-body';
export {
  badRequest, conflict, invalidContent, notFound, Problem, problemDocument, unavailable, type Fault, type ProblemDetails, type ProblemDocument,
} from './http/problem';
export { problemOfError } from './http/problem-of-error';
export { ProblemFilter } from './http/problem.filter';
export { RateLimiter } from './http/rate-limiter';
export { metadataOf, requestIdOf } from './http/request-context';
export { announceCommits } from './process/announce-commits';
export { runUntilStopped, type Running } from './process/run-until-stopped';
export { DefinitionCache, DefinitionMissing } from './definitions/definition-cache';
