import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { OperatorCommand } from '@foldwork/domain';
import { taskPath } from '@foldwork/events';
import { Caller, metadataOf, NeedsRole, type Principal } from '@foldwork/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../http/api-problems';
import { requireRunId } from '../runs/run-reader';
import { RunSummaryDto } from '../runs/run.dto';
import { etag } from '../runs/runs.controller';
import { CommandDto, ResolveTaskDto, RetryRunDto } from './command.dto';
import { OperatorCommands } from './operator-commands';

/** What all handlers here share: who asks, and where the answer's headers go. */
interface Exchange {
  readonly caller: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

@ApiTags('commands')
@ApiParam({ name: 'id', description: '`run_` and a UUID' })
@Controller('orchestrator/runs/:id')
export class CommandsController {
  constructor(private readonly commands: OperatorCommands) {}

  @Post('retry')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Retry a failed run; completed tasks are not run again' })
  @ApiBody({ type: RetryRunDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiProblems(400, 404, 409, 422)
  retry(@Param('id') id: string, @Body() body: RetryRunDto, @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'retry', ...given(body) }, { caller, request, reply });
  }

  @Post('cancel')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Cancel a run; what is running is told to stop' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiProblems(404, 409, 422)
  cancel(@Param('id') id: string, @Body() body: CommandDto, @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'cancel', ...given(body) }, { caller, request, reply });
  }

  @Post('pause')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Start no further task of the run; what is running goes on' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiProblems(404, 409, 422)
  pause(@Param('id') id: string, @Body() body: CommandDto, @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'pause', ...given(body) }, { caller, request, reply });
  }

  @Post('resume')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Let a paused run go on' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiProblems(404, 409, 422)
  resume(@Param('id') id: string, @Body() body: CommandDto, @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'resume', ...given(body) }, { caller, request, reply });
  }

  @Post('tasks/:task/resolve')
  @HttpCode(202)
  @NeedsRole('approver')
  @ApiOperation({ summary: 'Decide about a task that was escalated to people' })
  @ApiParam({ name: 'task', description: 'Path of the task, percent-encoded (`images%5B3%5D%2Fupload`)' })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiProblems(404, 409, 422)
  resolve(
    @Param('id') id: string, @Param('task') task: string, @Body() body: ResolveTaskDto,
    @Caller() caller: Principal, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunSummaryDto> {
    const { as, output, reason } = body;
    const command: OperatorCommand = { kind: 'resolve', task: taskPath(task), as, reason, ...(output !== undefined && { output }) };
    return this.carryOut(id, command, { caller, request, reply });
  }

  private async carryOut(id: string, command: OperatorCommand, { caller, request, reply }: Exchange): Promise<RunSummaryDto> {
    const source = { namespace: caller.namespace, runId: requireRunId(id), metadata: metadataOf(request, caller, command.reason) };
    const summary = await this.commands.carryOut(source, command);
    void reply.header('etag', etag(summary.version));
    return summary;
  }
}

/** The members that were sent, without the class around them. */
const given = <T extends object>(body: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined && value !== null)) as { [K in keyof T]: Exclude<T[K], undefined> }; // only undefined members were taken out
