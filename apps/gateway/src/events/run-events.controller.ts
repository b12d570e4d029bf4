import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags, ApiExtraModels } from '../openapi/api-decorators';
import { Call, CallContext, invalidContent, NeedsRole } from '@foldwork/platform/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../http/api-problems';
import { requireRunId } from '../runs/run-reader';
import { RunEvents } from './run-events';
import { RunEventsDto, RunEventsQueryDto } from './run-events.dto';

const PAGE_SIZE = 1_000;

@ApiTags('runs')
@ApiExtraModels(RunEventsDto)
@Controller('orchestrator/runs/:id/events')
export class RunEventsController {
  constructor(private readonly runEvents: RunEvents) {}

  @Get()
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'The run\'s events as JSON, or live as server-sent events (Accept: text/event-stream)' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Position of the last event a client of the stream has seen.' })
  @ApiResponse({ status: 200, description: 'Events in log order', content: {
    'application/json': { schema: { $ref: '#/components/schemas/RunEventsDto' } },
    'text/event-stream': { schema: { type: 'string' } },
  } })
  @ApiProblems(404, 422)
  async events(@Param('id') id: string, @Query() query: RunEventsQueryDto, @Call() call: CallContext, @Res() reply: FastifyReply): Promise<void> {
    const runId = requireRunId(id);
    const after = Number(query.after ?? 0);
    if (wantsStream(call.request)) return this.runEvents.stream(call.namespace, runId, lastEventId(call.request) ?? after, reply);
    const page = await this.runEvents.page(call.namespace, runId, after, query.limit ?? PAGE_SIZE);
    void reply.type('application/json').send(page);
  }
}

/** HEAD comes here too, and an answer to it must end. */
const wantsStream = ({ method, headers }: FastifyRequest): boolean => method === 'GET' && headers.accept?.includes('text/event-stream') === true;

const lastEventId = ({ headers }: FastifyRequest): number | undefined => {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw invalidContent([{ pointer: '', code: 'invalid_value', message: 'Last-Event-ID must be the id of an event of this stream.' }]);
};
