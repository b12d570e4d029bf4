import type { Json } from '@foldwork/events';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { Allow, IsIn, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';

const REASON = { description: 'For people; kept in the event.', maxLength: 1_000 };

/** Body of cancel, pause and resume; may be left out. */
export class CommandDto {
  @ApiPropertyOptional(REASON)
  @IsOptional()
  @MaxLength(1_000)
  @IsString()
  reason?: string;
}

export class RetryRunDto extends CommandDto {
  @ApiPropertyOptional({ description: 'Task of the plan at which to begin again; default: what is not done yet.' })
  @IsOptional()
  @MaxLength(200)
  @IsNotEmpty()
  @IsString()
  resumeFromStep?: string;
}

export class ResolveTaskDto {
  @ApiProperty({ enum: ['completed', 'failed'] })
  @IsIn(['completed', 'failed'])
  as!: 'completed' | 'failed';

  @ApiPropertyOptional({ description: 'Output of the task, when it counts as completed. Any JSON value.' })
  @Allow()
  output?: Json;

  @ApiProperty(REASON)
  @MaxLength(1_000)
  @IsNotEmpty()
  @IsString()
  reason!: string;
}
