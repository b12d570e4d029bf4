import type { Json } from '@foldwork/events';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators';
import { Allow, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { NAMESPACE } from '@foldwork/platform/http';
import { RunSummaryDto } from '../runs/run.dto';

const SIGNAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
/** Becomes part of a stream's name, which may have 128 bytes at most with its prefix. */
const SIGNAL_ID = /^[A-Za-z0-9._:-]{1,100}$/;

export class SignalDto {
  @ApiProperty({ example: 'payment.received', description: 'Name that waits look for.' })
  @Matches(SIGNAL_NAME, { message: 'signal must be 1 to 100 letters, digits, dots, colons, dashes or underscores' })
  @IsString()
  signal!: string;

  @ApiPropertyOptional({ description: 'Any JSON value; default {}.' })
  @Allow()
  payload?: Json;

  @ApiPropertyOptional({ description: 'The same id again changes nothing. Default: a new one.' })
  @IsOptional()
  @Matches(SIGNAL_ID, { message: 'signalId must be 1 to 100 letters, digits, dots, colons, dashes or underscores' })
  @IsString()
  signalId?: string;

  @ApiPropertyOptional({ description: 'Only waits with the same correlation id take it.' })
  @IsOptional()
  @MaxLength(200)
  @IsString()
  correlationId?: string;
}

/** A signal that comes by the bus, which knows no caller whose namespace it could be. */
export class BusSignalDto extends SignalDto {
  @Matches(NAMESPACE, { message: 'namespace must be 1 to 63 letters, digits, dots, dashes or underscores' })
  @IsString()
  namespace!: string;

  /** Only this run. */
  @IsOptional()
  @IsString()
  run?: string;
}

export class SignaledRunDto extends RunSummaryDto {
  @ApiProperty() signalId!: string;
}

export class BroadcastDto {
  @ApiProperty() signalId!: string;
  @ApiProperty({ description: 'false: this signal id had been sent before.' }) accepted!: boolean;
}
