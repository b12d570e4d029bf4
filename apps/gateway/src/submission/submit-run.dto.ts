import type { Json } from '@foldwork/events';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { Allow, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

export const WORKFLOW_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** A workflow's name, with a label behind `@` where another than `live` is meant. */
const WORKFLOW_REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/;

export class SubmitRunDto {
  @ApiPropertyOptional({ description: 'A published workflow: `name` (its label `live`) or `name@label`.', example: 'marketplace.publish' })
  @IsOptional()
  @Matches(WORKFLOW_REFERENCE, { message: 'workflow must be a name, or name@label' })
  @MaxLength(200)
  @IsString()
  workflow?: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'A whole definition, for a run without a published workflow.' })
  @IsOptional()
  definition?: Json;

  @ApiProperty({ required: false, description: 'Any JSON value that the definition\'s `input` schema allows, at most 256 KiB; numbers are kept exactly. Default: {}.' })
  @Allow()
  input?: Json;
}
