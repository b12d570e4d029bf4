import { createParamDecorator, UnauthorizedException, type ExecutionContext } from '@nestjs/common';
import type { EventMetadata } from '@foldwork/events/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal';
import { metadataOf } from './request-context';

export interface AuthenticatedRequest extends FastifyRequest {
  /** Set by the access guard. */
  principal?: Principal;
}

/** One call of the API: who makes it, and where the answer's status and headers go. */
export class CallContext {
  constructor(readonly principal: Principal, readonly request: FastifyRequest, readonly reply: FastifyReply) {}

  get namespace(): string {
    return this.principal.namespace;
  }

  /** For the events that the call causes. */
  metadata(reason?: string): EventMetadata {
    return metadataOf(this.request, this.principal, reason);
  }
}

/** The handler's call; only handlers that need a role have one. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext): CallContext => {
  const http = context.switchToHttp();
  const request = http.getRequest<AuthenticatedRequest>();
  if (request.principal === undefined) throw new UnauthorizedException();
  return new CallContext(request.principal, request, http.getResponse<FastifyReply>());
});
