import { faultsAfterwards } from './log-account';
import { System, type SystemOptions } from './system';
import { Workflows } from './workflows';

export interface ThroughoutOptions extends SystemOptions {
  /**
   * Tasks whose effect may have happened only once; given, even as an empty list, what the system leaves is examined when
   * the tests are done: every run finished, nothing repeated, the read models equal to a rebuild.
   */
  readonly onceTasks?: readonly string[];
}

const LIMIT_MS = 90_000;

/** One system for all tests of a file: started before them and handed over, stopped after them. */
export const throughout = ({ onceTasks, ...options }: ThroughoutOptions, handOver: (system: System) => void): void => {
  let starting: Promise<System> | undefined;
  beforeAll(async () => {
    starting = System.start(options);
    handOver(await starting);
  }, LIMIT_MS);
  afterAll(async () => {
    const system = await starting?.catch(() => undefined); // jest was told
    try {
      if (system !== undefined && onceTasks !== undefined) expect(await faultsAfterwards(system, onceTasks)).toEqual([]);
    } finally {
      await system?.stop();
    }
  }, LIMIT_MS);
};

/** The same for tests that speak as users do; failed runs are not retried by themselves. */
export const workflowsThroughout = (handOver: (system: System, flows: Workflows) => void): void =>
  throughout({ env: { FOLDWORK_RUN_RETRY_MAXIMUM: '0' } }, (system) => handOver(system, new Workflows(system)));
