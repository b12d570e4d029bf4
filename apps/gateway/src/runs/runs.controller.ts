import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '../openapi/api-decorators';
import { Call, CallContext, invalidContent, NeedsRole } from '@foldwork/platform/http';
import type { RunFilter } from '@foldwork/read-models';
import { ApiBodyProblems, ApiProblems } from '../http/api-problems';
import { RunSubmission } from '../submission/run-submission';
import { SubmitRunDto } from '../submission/submit-run.dto';
import { DefinitionCatalog } from '../workflows/definition-catalog';
import { ListRunsQueryDto, RFC3339, RunDetailQueryDto } from './list-runs.dto';
import { runDetail } from './run-detail';
import { ReadModel, requireCursor } from './read-model';
import { requireRunId, RunReader, type AsOf, type LoadedRun } from './run-reader';
import { summaryOfReadModel } from './run-summary';
import { RunDetailDto, RunPageDto, RunSummaryDto } from './run.dto';

const PAGE_SIZE = 20;
const MIN_VERSION_WAIT_MS = 10_000;
const RUN_PARAM = { name: 'id', description: '`run_` and a UUID', example: 'run_01932c5e-7b6a-7c3d-8e9f-0123456789ab' };

@ApiTags('runs')
@Controller('orchestrator/runs')
export class RunsController {
  constructor(
    private readonly submission: RunSubmission,
    private readonly reader: RunReader,
    private readonly catalog: DefinitionCatalog,
    private readonly readModel: ReadModel,
  ) {}

  @Post()
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Request a run of a published workflow or of a definition given here' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: '1 to 255 visible ASCII characters. The same key and body again: the same run.' })
  @ApiAcceptedResponse({ type: RunSummaryDto, headers: { Location: { description: 'Path of the run', schema: { type: 'string' } } } })
  @ApiOkResponse({ type: RunSummaryDto, description: 'The same request was accepted before; this is its run.' })
  @ApiBodyProblems(409)
  async submit(@Body() body: SubmitRunDto, @Headers('idempotency-key') idempotencyKey: string | undefined, @Call() call: CallContext): Promise<RunSummaryDto> {
    const { isNew, summary } = await this.submission.submit({ body, idempotencyKey, namespace: call.namespace, metadata: call.metadata() });
    void call.reply.status(isNew ? 202 : 200).header('location', `/orchestrator/runs/${summary.runId}`).header('etag', etag(summary.version));
    return summary;
  }

  @Get()
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'Runs, newest first' })
  @ApiOkResponse({ type: RunPageDto })
  @ApiProblems(422)
  async list(@Query() query: ListRunsQueryDto, @Call() { namespace }: CallContext): Promise<RunPageDto> {
    const { runs, nextCursor } = await this.readModel.runs(filterOf(query, namespace));
    return { runs: runs.map(summaryOfReadModel), nextCursor: nextCursor ?? null };
  }

  @Get(':id')
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'One run: plan, tasks with attempts and times, and what it waits for' })
  @ApiParam(RUN_PARAM)
  @ApiOkResponse({ type: RunDetailDto, headers: { ETag: { description: 'The run\'s version', schema: { type: 'string' } } } })
  @ApiProblems(404, 422)
  async detail(@Param('id') id: string, @Query() query: RunDetailQueryDto, @Call() { namespace, reply }: CallContext): Promise<RunDetailDto> {
    const { run, events } = await this.load(namespace, id, query);
    void reply.header('etag', etag(run.eventCount));
    return runDetail(run, events, await this.catalog.get(namespace, run.definition));
  }

  private load(namespace: string, id: string, { asOf, minVersion }: RunDetailQueryDto): Promise<LoadedRun> {
    const runId = requireRunId(id);
    if (asOf !== undefined) return this.reader.loadAsOf(namespace, runId, parseAsOf(asOf));
    if (minVersion !== undefined) return this.reader.loadAtLeast(namespace, runId, minVersion, MIN_VERSION_WAIT_MS);
    return this.reader.load(namespace, runId);
  }
}

export const etag = (version: number): string => `"${version}"`;

const parseAsOf = (text: string): AsOf => {
  if (/^[1-9]\d{0,9}$/.test(text)) return { version: Number(text) };
  return { at: parseTime(text, 'asOf', 'asOf must be a version (1, 2, 3 …) or a time as in RFC 3339.') };
};

const parseTime = (text: string, name: string, message: string): number => {
  const at = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw invalidContent([{ pointer: `?${name}`, code: 'invalid_value', message }]);
  return at;
};

const filterOf = ({ cursor, from, to, limit = PAGE_SIZE, ...given }: ListRunsQueryDto, namespace: string): RunFilter => ({
  ...given,
  namespace,
  limit,
  ...(from !== undefined && { from: parseTime(from, 'from', 'from is no date that exists.') }),
  ...(to !== undefined && { to: parseTime(to, 'to', 'to is no date that exists.') }),
  ...(cursor !== undefined && { cursor: requireCursor(cursor) }),
});
