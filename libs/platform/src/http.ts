export { createApiKey, findApiKey, isStoredApiKey, revokeApiKey, type NewApiKey, type StoredApiKey } from './auth/api-key.store';
export { createAuthenticator, type Authenticator, type Proof } from './auth/authenticator';
export { mayActAs, NAMESPACE, parseRole, ROLES, type Principal, type Role } from './auth/principal';
export { createAccess } from './auth/create-access';
export { createTokenVerifier, IssuerUnavailable, type OidcOptions, type TokenVerifier } from './auth/token-verifier';
export { answerClientError } from './http/answer-client-error';
export { AccessGuard, NeedsRole, Open, type AccessOptions } from './http/access.guard';
export { Call, CallContext } from './http/call';
export { DtoPipe, makeDto } from './http/dto.pipe';
export { BODY_BYTES_MAX, JSON_DEPTH_MAX, parseJsonBody, parseJsonText } from './http/json-body';
export {
  badRequest, conflict, invalidContent, notFound, Problem, problemDocument, unavailable, type Fault, type ProblemDetails, type ProblemDocument,
} from './http/problem';
export { problemOfError, problemOfStatus } from './http/problem-of-error';
export { ProblemFilter, sendProblem } from './http/problem.filter';
export { RateLimiter } from './http/rate-limiter';
export { requestIdOf } from './http/request-context';
