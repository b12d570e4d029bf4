import type { Bus, EventLog } from '@foldwork/events';
import type { HealthRegistry } from '@foldwork/platform';
import { projectionProgress, type SqlClient } from '@foldwork/read-models';

export interface HealthSources {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly reads: SqlClient;
  /** Events by which the read models may be behind. */
  readonly lagMax: number;
}

/** What the gateway needs to be of use: the log to accept, the bus to be quick, read models that are not far behind. */
export const registerGatewayChecks = (health: HealthRegistry, { log, bus, reads, lagMax }: HealthSources): HealthRegistry =>
  health
    .register('store', async () => ({ ok: (await log.epoch()) !== '' }))
    // Without the bus runs are accepted all the same and go on by polling, so it does not make the gateway unready.
    .register('bus', async () => ({ ok: true, detail: { connected: bus.isConnected() } }))
    .register('projection', async () => {
      const { position, head } = await projectionProgress(reads);
      return { ok: head - position <= lagMax, detail: { lag: head - position } };
    });
