import type { IncomingMessage, ServerResponse } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestLoggerAdapter } from '@foldwork/platform';
import { answerClientError, badRequest, BODY_BYTES_MAX, problemDocument, problemOfError, problemOfStatus, requestIdOf, sendProblem } from '@foldwork/platform/http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LogTail } from './events/log-tail';
import type { GatewayDependencies } from './gateway-dependencies';
import { GatewayModule } from './gateway.module';
import { registerBodyParsers } from './http/body-parsers';
import { openApiDocument } from './openapi/openapi-document';
import { BusSignals, SIGNALS_SUBJECT } from './signals/bus-signals';
import { OpenApiText } from './openapi/openapi.controller';

export interface Gateway {
  /** For example `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Ends open streams, lets requests in flight finish, gives nothing back that it was given. */
  close(): Promise<void>;
}

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The gateway, listening. The dependencies stay the caller's: closing the gateway leaves them open. */
export const startGateway = async (dependencies: GatewayDependencies, { host, port }: ListenAddress): Promise<Gateway> => {
  const app = await createGatewayApp(dependencies);
  await app.listen(port, host);
  const signals = dependencies.settings.busSignals ? await dependencies.bus.respond(SIGNALS_SUBJECT, app.get(BusSignals).take) : undefined;
  const url = await app.getUrl();
  dependencies.logger.info({ event: 'gateway_listening', url });
  return {
    url,
    close: async () => {
      dependencies.health.beginStop();
      await signals?.close();
      await app.get(LogTail).close();
      await closeInTime(app);
    },
  };
};

/** Whoever does not get to an end by then, be it with sending or with reading, is cut off. */
const CLOSE_LIMIT_MS = 5_000;
const IDLE_SWEEP_MS = 50;

const closeInTime = async (app: NestFastifyApplication): Promise<void> => {
  const server = app.getHttpServer();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS);
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS); // a connection whose last answer is out would stay for another request
  await app.close();
  clearInterval(sweep);
  clearTimeout(cut);
};

const createGatewayApp = async (dependencies: GatewayDependencies): Promise<NestFastifyApplication> => {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    genReqId: requestIdOf,
    requestTimeout: 30_000,
    http: { requireHostHeader: false }, // Node would answer by itself, see below
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: 2_048 },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => sendProblem(problemOfError(error), request, reply),
  });
  const module = GatewayModule.register(dependencies);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { bodyParser: false, logger: new NestLoggerAdapter(dependencies.logger), abortOnError: false });
  adapter.getHttpServer().on('checkExpectation', refuseExpectation);
  prepareFastify(adapter.getInstance() as unknown as FastifyInstance); // the adapter's own type differs in its generics only
  app.get(OpenApiText).describe(() => openApiDocument(app));
  return app.init();
};

const refuseExpectation = (_request: IncomingMessage, response: ServerResponse): void => {
  const { details } = problemOfStatus(417);
  const body = JSON.stringify(problemDocument(details));
  response.writeHead(details.status, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) }).end(body);
};

const prepareFastify = (fastify: FastifyInstance): void => {
  registerBodyParsers(fastify);
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined) throw badRequest('host_missing', 'The request has no header "host".', 'Send one, as HTTP/1.1 asks for it.');
    done();
  });
  fastify.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
  });
};
