import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

export class RunEventDto {
  @ApiProperty({ description: 'Place in the log; hand it back as `after`, do not count with it.' }) position!: string;
  @ApiProperty({ pattern: '^run_[0-9a-f-]{36}$' }) runId!: string;
  @ApiProperty({ description: 'Path of the task; empty for the run itself.' }) task!: string;
  @ApiProperty({ type: 'integer', minimum: 1, description: 'Version of the task\'s stream.' }) version!: number;
  @ApiProperty({ example: 'TaskTransitioned' }) type!: string;
  @ApiProperty({ type: 'integer' }) schemaVersion!: number;
  @ApiProperty({ type: String, format: 'date-time' }) recordedAt!: string;
  @ApiProperty({ pattern: '^[0-9a-f]{64}$' }) hash!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) metadata!: object;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: object;
}

export class RunEventsDto {
  @ApiProperty({ type: [RunEventDto] }) events!: RunEventDto[];
  @ApiProperty({ type: String, description: 'Give it as `after` to get what comes next.' }) next!: string;
  @ApiProperty({ description: 'Whether the log holds more right now.' }) hasMore!: boolean;
}

export class RunEventsQueryDto {
  @ApiPropertyOptional({ description: 'Position behind which to begin; default: the beginning.' })
  @IsOptional()
  @Matches(/^\d{1,15}$/, { message: 'after must be a position that an earlier answer gave' })
  @IsString()
  after?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 5_000, default: 1_000 })
  @IsOptional()
  @Max(5_000)
  @Min(1)
  @IsInt()
  limit?: number;
}
