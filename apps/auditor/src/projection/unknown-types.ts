import { isEventType, type RecordedEvent } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';

/** Tells once of each type that only a newer release knows: the read models miss what its events mean until they are made anew by that release. */
export class UnknownTypes {
  private readonly told = new Set<string>();

  constructor(private readonly logger: Logger) {}

  look(events: readonly RecordedEvent[]): void {
    for (const { type, position } of events) if (!isEventType(type) && !this.told.has(type)) this.tell(type, position);
  }

  private tell(type: string, position: number): void {
    this.told.add(type);
    this.logger.warn({ event: 'event_type_unknown', type, position, then: 'upgrade the auditor, then make the read models anew: npx nx rebuild auditor' });
  }
}
