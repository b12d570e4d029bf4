import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '../http/api-problems';
import { applyApiDecorators } from './api-decorators';

/** The API's description, from the decorators of the controllers: there is no second source to fall behind. */
export const openApiDocument = (app: INestApplication): OpenAPIObject => {
  applyApiDecorators();
  const base = new DocumentBuilder()
    .setTitle('Foldwork')
    .setDescription('Durable, event-sourced task orchestration. Requests may use snake_case for the fields named here.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key (`fw_…`) or a JWT of the configured issuer.' })
    .addSecurityRequirements('bearer')
    .build();
  return SwaggerModule.createDocument(app, base, { extraModels: [ProblemDto] });
};
