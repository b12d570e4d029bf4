import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiTags } from '../openapi/api-decorators';
import { Call, CallContext, NeedsRole } from '@foldwork/platform/http';
import { ApiBodyProblems } from '../http/api-problems';
import { requireRunId } from '../runs/run-reader';
import { etag } from '../runs/runs.controller';
import { SignalDelivery, type SignalSource } from './signal-delivery';
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
  @ApiBodyProblems(404, 409)
  async toRun(@Param('id') id: string, @Body() body: SignalDto, @Call() call: CallContext): Promise<SignaledRunDto> {
    const run = await this.signals.toRun(sourceOf(call), requireRunId(id), body);
    void call.reply.header('etag', etag(run.version));
    return run;
  }

  @Post('signals')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Send a signal to every run that waits for it, and to workflows that start by it' })
  @ApiAcceptedResponse({ type: BroadcastDto })
  @ApiBodyProblems()
  toAll(@Body() body: SignalDto, @Call() call: CallContext): Promise<BroadcastDto> {
    return this.signals.toAll(sourceOf(call), body);
  }
}

const sourceOf = (call: CallContext): SignalSource => ({ namespace: call.namespace, metadata: call.metadata() });
