import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi/api-decorators';
import { editorSchema } from '@foldwork/domain';
import { Open } from '@foldwork/platform/http';

/** What editors read without credentials: `# yaml-language-server: $schema=<gateway>/schemas/workflow.v1.schema.json`. */
@ApiTags('workflows')
@Controller('schemas')
export class SchemasController {
  private schema: object | undefined;

  @Get('workflow.v1.schema.json')
  @Open()
  @Header('access-control-allow-origin', '*')
  @ApiOperation({ summary: 'JSON Schema (draft-07) of workflow files, for editors', security: [] })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  workflow(): object {
    return (this.schema ??= editorSchema());
  }
}
