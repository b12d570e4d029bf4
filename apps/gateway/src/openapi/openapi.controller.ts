import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from './api-decorators';
import { Open } from '@foldwork/platform/http';
import type { FastifyReply } from 'fastify';

/** Made at the first request, since starting must be quick and few ask. */
export class OpenApiText {
  private text: string | undefined;
  private make: () => object = () => ({});

  describe(make: () => object): void {
    this.make = make;
  }

  get(): string {
    return (this.text ??= JSON.stringify(this.make()));
  }
}

@ApiExcludeController()
@Controller()
export class OpenApiController {
  constructor(private readonly document: OpenApiText) {}

  @Get('openapi.json')
  @Open()
  openapi(@Res() reply: FastifyReply): void {
    void reply.type('application/json').send(this.document.get());
  }
}
