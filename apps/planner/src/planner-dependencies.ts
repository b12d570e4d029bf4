import type { Pool } from 'pg';
import type { Bus, DefinitionStore, EventLog } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';

export interface PlannerSettings {
  readonly name: string;
  readonly leaseMs: number;
  readonly cacheRuns: number;
  /** How long a `once` effect of a lost executor may still be on its way. */
  readonly quarantineMs: number;
}

export interface PlannerDependencies {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly definitions: DefinitionStore;
  /** For agenda and memberships; `synchronous_commit = off` is right for it. */
  readonly pool: Pool;
  readonly logger: Logger;
  readonly settings: PlannerSettings;
  readonly now?: () => number;
}
