import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller, metadataOf, NeedsRole, type Principal } from '@foldwork/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../http/api-problems';
import { requireRunId } from '../runs/run-reader';
import { etag } from '../runs/runs.controller';
import { SignalDelivery } from './signal-delivery';
import { BroadcastDto, SignalDto, SignaledRunDto } from './signal.dto';

@ApiTags('signals')
@Controller('orchestrator')
export class SignalsController {
  constructor(private readonly signals: SignalDelivery) {}

  @Post('runs/:id/signals')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Send a signal to one run; kept until a task waits for it' })
  @ApiAcceptedResponse({ type: SignaledRunDto })
  @ApiProblems(404, 409, 413, 422)
  async toRun(
    @Param('id') id: string, @Body() body: SignalDto, @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignaledRunDto> {
    const source = { namespace: caller.namespace, metadata: metadataOf(request, caller) };
    const run = await this.signals.toRun(source, requireRunId(id), body);
    void reply.header('etag', etag(run.version));
    return run;
  }

  @Post('signals')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Send a signal to every run that waits for it, and to workflows that start by it' })
  @ApiAcceptedResponse({ type: BroadcastDto })
  @ApiProblems(413, 422)
  toAll(@Body() body: SignalDto, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<BroadcastDto> {
    return this.signals.toAll({ namespace: caller.namespace, metadata: metadataOf(request, caller) }, body);
  }
}
