import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiServiceUnavailableResponse, ApiTags } from '../openapi/api-decorators';
import { HealthRegistry } from '@foldwork/platform';
import { Open } from '@foldwork/platform/http';
import type { FastifyReply } from 'fastify';

class LivenessDto {
  @ApiProperty({ enum: ['alive'] }) status!: string;
}

class ReadinessDto {
  @ApiProperty({ enum: ['ready', 'not_ready'] }) status!: string;
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'store, bus, projection: each `up` or `down`, the projection with its lag in events.' }) checks!: object;
}

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthRegistry) {}

  @Get('livez')
  @Open()
  @ApiOperation({ summary: 'Whether the process answers at all' })
  @ApiOkResponse({ type: LivenessDto })
  livez(): LivenessDto {
    return { status: 'alive' };
  }

  @Get('readyz')
  @Open()
  @ApiOperation({ summary: 'Whether requests should be sent here: store, bus and projection lag' })
  @ApiOkResponse({ type: ReadinessDto })
  @ApiServiceUnavailableResponse({ type: ReadinessDto })
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessDto> {
    const readiness = await this.health.readiness();
    void reply.status(readiness.status === 'ready' ? 200 : 503);
    return readiness;
  }
}
