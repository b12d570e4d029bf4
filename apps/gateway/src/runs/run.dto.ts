import { RUN_STATUSES } from '@foldwork/read-models';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';

/** Shapes of answers. They exist for the API's description; the answers are plain objects. */
export const TASK_STATUSES = [
  'pending', 'assigned', 'in_progress', 'waiting', 'completed', 'failed', 'escalated', 'skipped', 'canceled', 'timed_out',
] as const;

export const RUN_ID = { example: 'run_01932c5e-7b6a-7c3d-8e9f-0123456789ab', pattern: '^run_[0-9a-f-]{36}$' };
const TIME = { type: String, format: 'date-time', example: '2026-11-21T12:00:00.000Z' } as const;
const ANY_JSON = {
  description: 'Any JSON value; numbers are exact.',
  oneOf: [{ type: 'object', additionalProperties: true, nullable: true }, { type: 'array', items: {} }, { type: 'string' }, { type: 'number' }, { type: 'boolean' }],
};

export class ErrorDto {
  @ApiProperty() code!: string;
  @ApiProperty() message!: string;
  @ApiPropertyOptional(ANY_JSON) details?: unknown;
}

export class TaskCountsDto {
  @ApiProperty({ type: 'integer' }) total!: number;
  @ApiProperty({ type: 'integer' }) active!: number;
  @ApiProperty({ type: 'integer' }) completed!: number;
  @ApiProperty({ type: 'integer' }) failed!: number;
  @ApiProperty({ type: 'integer' }) skipped!: number;
  @ApiProperty({ type: 'integer' }) canceled!: number;
}

export class RunSummaryDto {
  @ApiProperty(RUN_ID) runId!: string;
  @ApiProperty() workflow!: string;
  @ApiPropertyOptional({ description: 'SHA-256 of the definition that the run pins.' }) definition?: string;
  @ApiPropertyOptional() service?: string;
  @ApiProperty({ enum: RUN_STATUSES }) status!: string;
  @ApiProperty({ type: 'integer', minimum: 1 }) attempt!: number;
  @ApiProperty({ type: 'integer', minimum: 1, description: 'Number of events of the run that this answer contains.' }) version!: number;
  @ApiProperty(TIME) requestedAt!: string;
  @ApiPropertyOptional(TIME) startedAt?: string;
  @ApiPropertyOptional(TIME) finishedAt?: string;
  @ApiPropertyOptional({ type: ErrorDto }) error?: ErrorDto;
  @ApiProperty({ type: TaskCountsDto }) taskCounts!: TaskCountsDto;
}

export class RunPageDto {
  @ApiProperty({ type: [RunSummaryDto] }) runs!: RunSummaryDto[];
  @ApiProperty({ type: String, nullable: true, description: 'Give it as `cursor` to get the next page; null on the last one.' }) nextCursor!: string | null;
}

export class PlannedTaskDto {
  @ApiProperty() id!: string;
  @ApiProperty() type!: string;
  @ApiProperty({ type: 'integer', minimum: 1 }) stepOrder!: number;
}

export class AttemptDto {
  @ApiProperty({ type: 'integer', minimum: 0 }) attempt!: number;
  @ApiProperty({ enum: TASK_STATUSES }) status!: string;
  @ApiProperty(TIME) startedAt!: string;
  @ApiPropertyOptional(TIME) finishedAt?: string;
  @ApiPropertyOptional() executor?: string;
  @ApiPropertyOptional({ type: ErrorDto }) error?: ErrorDto;
}

export class TaskDto {
  @ApiProperty({ description: 'Where the task stands in the run, for example `images[3]/upload`.' }) path!: string;
  @ApiProperty() id!: string;
  @ApiPropertyOptional({ description: 'Path of the container; absent at the top.' }) parent?: string;
  @ApiProperty() type!: string;
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Place in the plan, for tasks of the top list.' }) stepOrder?: number;
  @ApiProperty({ enum: TASK_STATUSES }) status!: string;
  @ApiProperty({ type: 'integer', minimum: 0 }) attempt!: number;
  @ApiProperty({ type: [AttemptDto] }) attempts!: AttemptDto[];
  @ApiPropertyOptional(TIME) startedAt?: string;
  @ApiPropertyOptional(TIME) finishedAt?: string;
  @ApiPropertyOptional({ ...TIME, description: 'When the engine looks at a waiting task again.' }) until?: string;
  @ApiPropertyOptional(ANY_JSON) input?: unknown;
  @ApiPropertyOptional(ANY_JSON) output?: unknown;
  @ApiPropertyOptional({ type: ErrorDto }) error?: ErrorDto;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'What the attempts did outside, as they recorded it.' }) sideEffects?: object;
  @ApiPropertyOptional({ enum: ['started', 'completed', 'failed'] }) undo?: string;
}

export class ParentRunDto {
  @ApiProperty(RUN_ID) runId!: string;
  @ApiProperty() task!: string;
}

export class RunDetailDto extends RunSummaryDto {
  @ApiProperty(ANY_JSON) input!: unknown;
  @ApiPropertyOptional(ANY_JSON) output?: unknown;
  @ApiProperty({ type: [PlannedTaskDto], description: 'Empty until the run is planned.' }) plan!: PlannedTaskDto[];
  @ApiProperty({ type: [TaskDto] }) tasks!: TaskDto[];
  @ApiProperty({ type: String, nullable: true, description: 'One sentence: which task, on what, since when, who can move it.' }) waitingFor!: string | null;
  @ApiProperty() paused!: boolean;
  @ApiProperty() cancelRequested!: boolean;
  @ApiPropertyOptional() failedTask?: string;
  @ApiPropertyOptional({ ...TIME, description: 'When the failed run is retried by itself.' }) retryAt?: string;
  @ApiPropertyOptional() idempotencyKey?: string;
  @ApiPropertyOptional({ type: ParentRunDto }) parent?: ParentRunDto;
}
