import type { Json } from '@foldwork/events';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString } from 'class-validator';
import { ProblemDto } from '../http/api-problems';
import { RUN_ID } from '../runs/run.dto';
import { SubmitRunDto } from './submit-run.dto';

export const BATCH_RUNS_MAX = 1_000;

export class BatchRunDto extends SubmitRunDto {
  @ApiPropertyOptional({ description: 'As the header `Idempotency-Key` of a single request: 1 to 255 visible ASCII characters.' })
  @IsOptional()
  @IsString()
  idempotencyKey?: string;
}

export class RunBatchDto {
  @ApiProperty({ type: [BatchRunDto], minItems: 1, maxItems: BATCH_RUNS_MAX, description: 'Each is accepted or refused for itself. Those that are accepted are stored in this order, in one commit.' })
  @ArrayMaxSize(BATCH_RUNS_MAX, { message: `runs takes at most ${BATCH_RUNS_MAX} runs; send more in further requests` })
  @ArrayMinSize(1, { message: 'runs must hold at least one run' })
  @IsArray({ message: 'runs must be a list of runs' })
  runs!: readonly Json[];
}

export class BatchResultDto {
  @ApiProperty({ type: 'integer', description: 'What a single request would have been answered: 202 accepted, 200 accepted before under this key, or the status of `problem`.' })
  status!: number;

  @ApiPropertyOptional({ ...RUN_ID, description: 'Absent where the run was refused.' }) runId?: string;
  @ApiPropertyOptional({ type: ProblemDto }) problem?: ProblemDto;
}

export class RunBatchResultDto {
  @ApiProperty({ type: [BatchResultDto], description: 'One for each run of the request, in its order.' }) results!: BatchResultDto[];
}
