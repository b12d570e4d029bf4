import type { ActionCatalog } from '@foldwork/domain';
import type { Bus, DefinitionStore, EventLog } from '@foldwork/events';
import type { Config, HealthRegistry, Logger } from '@foldwork/platform';
import type { AccessOptions } from '@foldwork/platform/http';
import type { SqlClient } from '@foldwork/read-models';

export type GatewaySettings = Pick<Config, 'runRetryDelayMs' | 'runRetryMaximum' | 'busSignals'>;

/** All that the gateway needs from outside; the composition roots (its own process, the standalone server) bring it. */
export interface GatewayDependencies {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly definitions: DefinitionStore;
  /** The read models. */
  readonly reads: SqlClient;
  readonly access: AccessOptions;
  readonly health: HealthRegistry;
  readonly logger: Logger;
  readonly settings: GatewaySettings;
  /** Milliseconds since 1970; a test may hold it still. */
  readonly now?: () => number;
  /** The actions that executors offer; absent or undefined: not known, so definitions are not checked against them. */
  readonly actions?: () => Promise<ActionCatalog | undefined>;
}
