import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { EventMetadata } from '@foldwork/events/contracts';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,100}$/;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The client's own request id where it is usable, else a new one. */
export const requestIdOf = ({ headers }: IncomingMessage): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
};

/** Who, why and in which trace: goes into each event that the request causes. */
export const metadataOf = (request: FastifyRequest, principal: Principal, reason?: string): EventMetadata => {
  const { traceparent } = request.headers;
  return {
    actor: principal.actor,
    ...(reason !== undefined && { reason }),
    requestId: request.id,
    ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) && { traceparent }),
  };
};
