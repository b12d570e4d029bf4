import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOperation, ApiParam, ApiTags } from '../openapi/api-decorators';
import type { OperatorCommand } from '@foldwork/domain';
import { taskPath } from '@foldwork/events';
import { Call, CallContext, NeedsRole } from '@foldwork/platform/http';
import { ApiBodyProblems } from '../http/api-problems';
import { presentMembers } from '../http/present-members';
import { requireRunId } from '../runs/run-reader';
import { RunSummaryDto } from '../runs/run.dto';
import { etag } from '../runs/runs.controller';
import { CommandDto, ResolveTaskDto, RetryRunDto } from './command.dto';
import { OperatorCommands } from './operator-commands';

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
  @ApiBodyProblems(404, 409)
  retry(@Param('id') id: string, @Body() body: RetryRunDto, @Call() call: CallContext): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'retry', ...presentMembers(body) }, call);
  }

  @Post('cancel')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Cancel a run; what is running is told to stop' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiBodyProblems(404, 409)
  cancel(@Param('id') id: string, @Body() body: CommandDto, @Call() call: CallContext): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'cancel', ...presentMembers(body) }, call);
  }

  @Post('pause')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Start no further task of the run; what is running goes on' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiBodyProblems(404, 409)
  pause(@Param('id') id: string, @Body() body: CommandDto, @Call() call: CallContext): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'pause', ...presentMembers(body) }, call);
  }

  @Post('resume')
  @HttpCode(202)
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Let a paused run go on' })
  @ApiBody({ type: CommandDto, required: false })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiBodyProblems(404, 409)
  resume(@Param('id') id: string, @Body() body: CommandDto, @Call() call: CallContext): Promise<RunSummaryDto> {
    return this.carryOut(id, { kind: 'resume', ...presentMembers(body) }, call);
  }

  @Post('tasks/:task/resolve')
  @HttpCode(202)
  @NeedsRole('approver')
  @ApiOperation({ summary: 'Decide about a task that was escalated to people' })
  @ApiParam({ name: 'task', description: 'Path of the task, percent-encoded (`images%5B3%5D%2Fupload`)' })
  @ApiAcceptedResponse({ type: RunSummaryDto })
  @ApiBodyProblems(404, 409)
  resolve(@Param('id') id: string, @Param('task') task: string, @Body() body: ResolveTaskDto, @Call() call: CallContext): Promise<RunSummaryDto> {
    const { as, output, reason } = body;
    const command: OperatorCommand = { kind: 'resolve', task: taskPath(task), as, reason, ...(output !== undefined && { output }) };
    return this.carryOut(id, command, call);
  }

  private async carryOut(id: string, command: OperatorCommand, call: CallContext): Promise<RunSummaryDto> {
    const source = { namespace: call.namespace, runId: requireRunId(id), metadata: call.metadata(command.reason) };
    const summary = await this.commands.carryOut(source, command);
    void call.reply.header('etag', etag(summary.version));
    return summary;
  }
}
