import type { Config } from '@foldwork/platform';
import type { PlannerSettings } from './planner-dependencies';

export const plannerSettings = (config: Config, host: string): PlannerSettings => ({
  name: config.plannerName ?? host,
  leaseMs: config.plannerLeaseMs,
  cacheRuns: config.plannerCacheRuns,
  quarantineMs: QUARANTINE_MS,
});

/** Long enough for a request that a killed executor had sent to arrive, short enough not to be noticed. */
export const QUARANTINE_MS = 1_000;
