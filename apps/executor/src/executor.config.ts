import { ActionRegistry, coreActions, httpActions, loadActions } from '@foldwork/actions';
import type { Config } from '@foldwork/platform';
import type { ExecutorSettings } from './executor';

export const executorSettings = (config: Config, host: string): ExecutorSettings => ({
  name: config.executorName ?? host,
  leaseMs: config.executorLeaseMs,
  concurrency: config.executorConcurrency,
});

/** The built-in actions and those of the configured modules. Throws `ActionInvalid`. */
export const executorActions = async (config: Config, workingFolder: string): Promise<ActionRegistry> => {
  const registry = new ActionRegistry();
  for (const action of [...coreActions, ...httpActions, ...(await loadActions(config.actions, workingFolder))]) registry.register(action);
  return registry;
};
