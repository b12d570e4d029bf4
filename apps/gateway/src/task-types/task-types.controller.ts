import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi/api-decorators';
import { taskTypes } from '@foldwork/domain';
import { TaskTypeVersionStore } from '@foldwork/platform';
import { Call, CallContext, invalidContent, NeedsRole, notFound } from '@foldwork/platform/http';
import { ApiBodyProblems, ApiProblems } from '../http/api-problems';
import { ChooseVersionDto, TaskTypeDto, TaskTypeListDto } from './task-type.dto';

/** Rules of task types are rolled out by choosing, per type, the version that new runs begin with; back is the same call. */
@ApiTags('task types')
@Controller('orchestrator/task-types')
export class TaskTypesController {
  constructor(private readonly versions: TaskTypeVersionStore) {}

  @Get()
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'Task types, the versions of their rules and what new runs begin with' })
  @ApiOkResponse({ type: TaskTypeListDto })
  @ApiProblems()
  async list(@Call() call: CallContext): Promise<TaskTypeListDto> {
    const chosen = await this.versions.of(call.namespace);
    return { taskTypes: taskTypes.definitions().map(({ type }) => ({ type, versions: [...taskTypes.versionsOf(type)], chosen: chosen[type] ?? 1 })) };
  }

  @Put(':type')
  @NeedsRole('admin')
  @ApiOperation({ summary: 'Choose the version of a rule that new runs begin with' })
  @ApiOkResponse({ type: TaskTypeDto })
  @ApiBodyProblems(404)
  async choose(@Param('type') type: string, @Body() { version }: ChooseVersionDto, @Call() call: CallContext): Promise<TaskTypeDto> {
    if (!taskTypes.isRegistered(type)) throw notFound('task_type_not_found', `There is no task type ${type.slice(0, 100)}.`, 'GET /orchestrator/task-types lists all of them.');
    const versions = [...taskTypes.versionsOf(type)];
    if (!versions.includes(version)) throw invalidContent([{ pointer: '/version', code: 'unknown_value', message: `The rule of ${type} has the versions ${versions.join(', ')}.` }]);
    await this.versions.choose(call.namespace, { type, version, actor: call.principal.actor });
    return { type, versions, chosen: version };
  }
}
