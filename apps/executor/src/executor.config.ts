import { ActionRegistry, coreActions, httpActions, loadActions } from '@foldwork/actions';
import type { Config } from '@foldwork/platform';
import type { ExecutorSettings } from './executor';
import { noSecrets, openSecretFolder, type SecretSource } from './secrets/secret-folder';

export const executorSettings = (config: Config, host: string): ExecutorSettings => ({
  name: config.executorName ?? host,
  leaseMs: config.executorLeaseMs,
  concurrency: config.executorConcurrency,
  stopMs: Math.floor(config.shutdownMs * STOP_SHARE),
});

/** What is left of the time for stopping is for recording that attempts were given up. */
const STOP_SHARE = 0.7;

/** Rejects when the folder is not there. */
export const executorSecrets = (config: Config): Promise<SecretSource> =>
  config.secretsFolder === undefined ? Promise.resolve(noSecrets) : openSecretFolder(config.secretsFolder);

/** The built-in actions and those of the configured modules. Throws `ActionInvalid`. */
export const executorActions = async (config: Config, workingFolder: string): Promise<ActionRegistry> => {
  const registry = new ActionRegistry();
  for (const action of [...coreActions, ...httpActions, ...(await loadActions(config.actions, workingFolder))]) registry.register(action);
  return registry;
};
