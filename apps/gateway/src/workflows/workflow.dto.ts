import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { IsOptional, IsString, Matches } from 'class-validator';

export class PublishQueryDto {
  @ApiPropertyOptional({ description: 'Labels to point at this definition, separated by commas: `live`, a version such as `1.2.0`. Default: live.', example: 'live,1.2.0' })
  @IsOptional()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(,[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,9}$/, { message: 'labels must be 1 to 10 names separated by commas' })
  @IsString()
  labels?: string;
}

export class DiagnosticDto {
  @ApiProperty() code!: string;
  @ApiProperty({ enum: ['error', 'warning'] }) severity!: string;
  @ApiProperty() message!: string;
  @ApiPropertyOptional() hint?: string;
  @ApiProperty({ type: 'integer', minimum: 1 }) line!: number;
  @ApiProperty({ type: 'integer', minimum: 1 }) column!: number;
  @ApiProperty({ description: 'JSON pointer into the definition.' }) pointer!: string;
}

export class WorkflowCheckDto {
  @ApiProperty({ description: 'Whether the definition may be published: no diagnostic is an error.' }) valid!: boolean;
  @ApiPropertyOptional({ description: 'SHA-256 of the canonical definition; only when it is valid.' }) hash?: string;
  @ApiProperty({ type: [DiagnosticDto] }) diagnostics!: DiagnosticDto[];
}

export class PublishedWorkflowDto {
  @ApiProperty() workflow!: string;
  @ApiProperty({ description: 'SHA-256 of the canonical definition.' }) hash!: string;
  @ApiProperty({ type: [String] }) labels!: string[];
  @ApiProperty({ type: [DiagnosticDto], description: 'Warnings.' }) diagnostics!: DiagnosticDto[];
}

export class WorkflowDto {
  @ApiProperty() workflow!: string;
  @ApiProperty() hash!: string;
  @ApiProperty({ type: [String], description: 'Labels that point at this definition.' }) labels!: string[];
  @ApiProperty({ type: 'object', additionalProperties: true }) definition!: object;
}

export class WorkflowSummaryDto {
  @ApiProperty() workflow!: string;
  @ApiPropertyOptional({ description: 'Hash that new runs get.' }) live?: string;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, description: 'Hash by label.' }) labels!: object;
  @ApiProperty({ type: String, format: 'date-time' }) publishedAt!: string;
}

export class WorkflowListDto {
  @ApiProperty({ type: [WorkflowSummaryDto] }) workflows!: WorkflowSummaryDto[];
}

export class WorkflowVersionDto {
  @ApiProperty({ type: 'integer', minimum: 1 }) version!: number;
  @ApiProperty() hash!: string;
  @ApiProperty({ type: [String], description: 'Labels that this publication moved.' }) labels!: string[];
  @ApiProperty({ type: String, format: 'date-time' }) publishedAt!: string;
  @ApiProperty() publishedBy!: string;
}

export class WorkflowVersionsDto {
  @ApiProperty() workflow!: string;
  @ApiProperty({ type: [WorkflowVersionDto], description: 'Newest first.' }) versions!: WorkflowVersionDto[];
}
