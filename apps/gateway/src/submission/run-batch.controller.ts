import { Body, Controller, Headers, Post } from '@nestjs/common';
import { badRequest, Call, CallContext, NeedsRole, type Problem } from '@foldwork/platform/http';
import { ApiBodyProblems } from '../http/api-problems';
import { ApiAcceptedResponse, ApiOperation, ApiResponse, ApiTags } from '../openapi/api-decorators';
import { RunBatch } from './run-batch';
import { RunBatchDto, RunBatchResultDto } from './run-batch.dto';

@ApiTags('runs')
@Controller('orchestrator/runs/batch')
export class RunBatchController {
  constructor(private readonly batch: RunBatch) {}

  @Post()
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Request many runs at once, each accepted or refused for itself' })
  @ApiAcceptedResponse({ type: RunBatchResultDto, description: 'All are accepted.' })
  @ApiResponse({ status: 207, type: RunBatchResultDto, description: 'Some are refused; see `status` and `problem` of each.' })
  @ApiBodyProblems()
  async submit(@Body() { runs }: RunBatchDto, @Headers('idempotency-key') idempotencyKey: string | undefined, @Call() call: CallContext): Promise<RunBatchResultDto> {
    if (idempotencyKey !== undefined) throw keyOfAll(); // whoever sends one relies on it
    const results = await this.batch.submit({ runs, namespace: call.namespace, metadata: call.metadata() });
    void call.reply.status(results.every(({ problem }) => problem === undefined) ? 202 : 207);
    return { results };
  }
}

const keyOfAll = (): Problem =>
  badRequest('idempotency_key_of_batch', 'A request of many runs takes no Idempotency-Key header.', 'Give each run an idempotencyKey of its own in the body.');
