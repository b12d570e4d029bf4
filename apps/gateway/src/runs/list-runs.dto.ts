import { ApiPropertyOptional } from '../openapi/api-decorators';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { RUN_STATUSES } from '@foldwork/read-models';

/** Date, time and zone of RFC 3339. */
export const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export class ListRunsQueryDto {
  @ApiPropertyOptional({ enum: RUN_STATUSES })
  @IsOptional()
  @IsIn(RUN_STATUSES)
  status?: (typeof RUN_STATUSES)[number];

  @ApiPropertyOptional()
  @IsOptional()
  @MaxLength(200)
  @IsString()
  workflow?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @MaxLength(200)
  @IsString()
  service?: string;

  @ApiPropertyOptional({ description: 'Part of the workflow\'s name, of the input, of the error, or of the run id.' })
  @IsOptional()
  @MaxLength(200)
  @IsString()
  search?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Requested at or after.' })
  @IsOptional()
  @Matches(RFC3339, { message: 'from must be a time as in RFC 3339' })
  @IsString()
  from?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Requested before.' })
  @IsOptional()
  @Matches(RFC3339, { message: 'to must be a time as in RFC 3339' })
  @IsString()
  to?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 20 })
  @IsOptional()
  @Max(100)
  @Min(1)
  @IsInt()
  limit?: number;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before.' })
  @IsOptional()
  @MaxLength(300)
  @IsString()
  cursor?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: 1_000_000, description: 'Runs to leave out; a cursor is faster.' })
  @IsOptional()
  @Max(1_000_000)
  @Min(0)
  @IsInt()
  offset?: number;
}

export class RunDetailQueryDto {
  @ApiPropertyOptional({ description: 'The run as it was: after so many events (its version), or at a time as in RFC 3339.' })
  @IsOptional()
  @MaxLength(40)
  @IsString()
  asOf?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Wait up to 10 s until the run has this version; then answer with what there is.' })
  @IsOptional()
  @Max(2_147_483_647)
  @Min(1)
  @IsInt()
  minVersion?: number;
}
