import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Auditor } from './auditor';

@Controller()
export class HintController {
  constructor(private readonly auditor: Auditor) {}

  @EventPattern('log')
  logHasGrown(_position: string): void {
    this.auditor.hint();
  }
}
