import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Authenticator } from '../auth/authenticator';
import { mayActAs, type Principal, type Role } from '../auth/principal';
import type { AuthenticatedRequest } from './call';
import { Problem } from './problem';
import type { RateLimiter } from './rate-limiter';

const NEEDED_ROLE = 'foldwork:role';
const OPEN = 'open';

/** The least role that may call this. A handler without it and without `@Open()` is refused to everybody. */
export const NeedsRole = (role: Role): MethodDecorator & ClassDecorator => SetMetadata(NEEDED_ROLE, role);
/** Needs no credentials: health and the API's own description. */
export const Open = (): MethodDecorator & ClassDecorator => SetMetadata(NEEDED_ROLE, OPEN);

export interface AccessOptions {
  /** Absent: authentication is off and everybody is this principal. */
  readonly authenticator: Authenticator | undefined;
  readonly everybody: Principal;
  readonly limiter: RateLimiter;
}

@Injectable()
export class AccessGuard implements CanActivate {
  private readonly reflector = new Reflector();

  constructor(private readonly options: AccessOptions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const needed = this.reflector.getAllAndOverride<Role | typeof OPEN | undefined>(NEEDED_ROLE, [context.getHandler(), context.getClass()]);
    if (needed === OPEN) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const principal = await this.identify(request);
    this.limit(principal);
    if (needed === undefined || !mayActAs(principal.role, needed)) throw forbidden(`This needs the role ${needed ?? 'of nobody'}; yours is ${principal.role}.`);
    request.principal = principal;
    return true;
  }

  private async identify(request: FastifyRequest): Promise<Principal> {
    const { authenticator, everybody } = this.options;
    if (authenticator === undefined) return everybody;
    const credentials = credentialsOf(request);
    if (credentials === undefined) throw unauthenticated('credentials_missing', 'The request carries no credentials.');
    const proof = await authenticator.authenticate(credentials, namespaceOf(request), request.ip);
    if (proof.status === 'limited') throw tooMany('Too many unknown credentials have come from this address in the last second.', proof.waitSeconds, 'then send credentials that are valid');
    if (proof.status === 'unknown') throw unauthenticated('credentials_invalid', 'The credentials are not valid, not any more, or not yet.');
    if (proof.status === 'outsider') throw forbidden('You have no role in this namespace.');
    return proof.principal;
  }

  private limit(principal: Principal): void {
    const waitSeconds = this.options.limiter.take(principal.rateKey);
    if (waitSeconds > 0) throw tooMany('This key has sent too many requests in the last second.', waitSeconds, 'or have FOLDWORK_RATE_LIMIT raised');
  }
}

const credentialsOf = ({ headers }: FastifyRequest): string | undefined => {
  const given = headers['x-api-key'];
  if (typeof given === 'string') return given;
  const { authorization } = headers;
  return authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined;
};

/** Which namespace a token of several means. */
const namespaceOf = ({ headers }: FastifyRequest): string | undefined => {
  const given = headers['foldwork-namespace'];
  return typeof given === 'string' ? given : undefined;
};

const unauthenticated = (error: string, detail: string): Problem =>
  new Problem({
    status: 401, error, detail, headers: { 'www-authenticate': 'Bearer' },
    remediation: 'Send an API key or a token as "authorization: Bearer …".',
  });

const tooMany = (detail: string, waitSeconds: number, remedy: string): Problem =>
  new Problem({ status: 429, error: 'rate_limited', detail, remediation: `Wait ${waitSeconds} s, ${remedy}.`, headers: { 'retry-after': String(waitSeconds) } });

const forbidden = (detail: string): Problem =>
  new Problem({ status: 403, error: 'forbidden', detail, remediation: 'Use credentials with that role in this namespace, or ask an admin for them.' });
