import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logging/logger';
import { problemDocument, type Problem } from './problem';
import { problemOfError } from './problem-of-error';

export const sendProblem = ({ details }: Problem, request: FastifyRequest, reply: FastifyReply): void => {
  const { status, headers = {} } = details;
  void reply.status(status).headers(headers).type('application/problem+json').send(JSON.stringify(problemDocument(details, request.id)));
};

/** The client went away in the middle of its request, which is no fault of the server and has nobody to be answered. */
const hasLeft = ({ raw }: FastifyRequest): boolean => raw.destroyed && !raw.complete;

/** Every error leaves the gateway through here, but for those of an address that leads to no route. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOfError(error);
    const { status, error: code } = problem.details;
    if (status >= 500 && !hasLeft(request)) this.logTrouble(status, code, request, problem.cause ?? error);
    if (reply.raw.headersSent) {
      reply.raw.destroy(); // a stream broke in the middle: there is no other way to say so
      return;
    }
    sendProblem(problem, request, reply);
  }

  private logTrouble(status: number, code: string, request: FastifyRequest, err: unknown): void {
    const line = { event: 'request_failed', requestId: request.id, method: request.method, route: request.routeOptions.url, code, err };
    if (status === 500) this.logger.error(line);
    else this.logger.warn(line);
  }
}
