import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiResponse } from '../openapi/api-decorators';

export class FaultDto {
  @ApiProperty({ description: 'JSON pointer into the body, or ?name for a query parameter.' }) pointer!: string;
  @ApiProperty() code!: string;
  @ApiProperty() message!: string;
  @ApiPropertyOptional({ type: 'integer' }) line?: number;
  @ApiPropertyOptional({ type: 'integer' }) column?: number;
  @ApiPropertyOptional({ enum: ['error', 'warning'] }) severity?: string;
  @ApiPropertyOptional() hint?: string;
}

/** RFC 9457. */
export class ProblemDto {
  @ApiProperty({ format: 'uri' }) type!: string;
  @ApiProperty() title!: string;
  @ApiProperty({ type: 'integer' }) status!: number;
  @ApiProperty() detail!: string;
  @ApiProperty({ description: 'Code for programs.' }) error!: string;
  @ApiPropertyOptional({ description: 'What to do about it.' }) remediation?: string;
  @ApiPropertyOptional() requestId?: string;
  @ApiPropertyOptional({ type: [FaultDto] }) faults?: readonly FaultDto[];
}

/** Every call may answer these besides its own; 400, 408, 414, 417 and 431 where it did not even become a request. */
const ALWAYS = [400, 401, 403, 408, 414, 417, 429, 431, 500, 503];

/** What a call that takes a body may answer besides. */
const OF_BODIES = [413, 415, 422];

const MEANING: Readonly<Record<number, string>> = {
  400: 'The request cannot be read or names something unknown', 401: 'Not authenticated', 403: 'Not allowed', 404: 'Not found',
  408: 'The request took too long to arrive', 409: 'Not possible in the present state', 413: 'Too large', 414: 'The address is too long', 415: 'Unsupported media type',
  417: 'Nothing but `100-continue` can be expected', 422: 'Invalid content; see `faults`', 429: 'Too many requests', 431: 'The headers are too large', 500: 'Fault of the server', 503: 'Unavailable for now; see `Retry-After`',
};

/** The same for a call that takes a body. */
export const ApiBodyProblems = (...statuses: readonly number[]): MethodDecorator => ApiProblems(...statuses, ...OF_BODIES);

/** Documents the problems a call may answer with. */
export const ApiProblems = (...statuses: readonly number[]): MethodDecorator =>
  applyDecorators(
    ...[...new Set([...statuses, ...ALWAYS])].map((status) =>
      ApiResponse({
        status,
        description: MEANING[status] ?? 'Error',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } },
      })),
  );
