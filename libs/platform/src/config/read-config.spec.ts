import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigInvalid, envExample, readConfig } from './read-config';
import { SETTINGS } from './settings.config';

const faultsOf = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.faults;
    throw error;
  }
  return [];
};

describe('readConfig', () => {
  it('[S4-01] falls back to the default where a variable is unset or blank', () => {
    const config = readConfig({ FOLDWORK_HTTP_PORT: ' ', FOLDWORK_RUN_RETRY_DELAY: '1m' });
    expect(config.httpPort).toBe(3000);
    expect(config.runRetryDelayMs).toBe(60_000);
    expect(config.runRetryMaximum).toBe(3);
    expect(config.auth).toBe(true);
    expect(config.databaseUrl).toBeUndefined();
  });

  it('[S4-01] reports every bad value at once, with its meaning and without secrets', () => {
    const environment = {
      FOLDWORK_HTTP_PORT: '99999',
      FOLDWORK_AUTH: 'yes',
      FOLDWORK_EXECUTOR_LEASE: '10 parsecs',
      FOLDWORK_DATABASE_URL: 'mysql://root:hunter2@db',
      FOLDWORK_HTTP_PROT: '1',
    };
    const faults = faultsOf(() => readConfig(environment, ['natsUrls']));
    expect(faults).toHaveLength(6);
    expect(faults.join('\n')).toMatch(/FOLDWORK_HTTP_PORT must be a whole number from 0 to 65535 \(it is "99999"\)/);
    expect(faults.join('\n')).toMatch(/FOLDWORK_NATS_URL is required/);
    expect(faults.join('\n')).toMatch(/FOLDWORK_HTTP_PROT is not a setting/);
    expect(faults.join('\n')).not.toMatch(/hunter2/);
  });

  it('refuses a list of nothing where nothing would be done, or something else than was meant', () => {
    const faults = faultsOf(() => readConfig({ FOLDWORK_EXECUTOR_POOLS: ' , ', FOLDWORK_NATS_URL: ',', FOLDWORK_ACTIONS: ',' }, ['natsUrls']));
    expect(faults).toEqual([expect.stringMatching(/^FOLDWORK_NATS_URL must name at least one/), expect.stringMatching(/^FOLDWORK_EXECUTOR_POOLS must name at least one/)]);
  });

  it('[S4-01] every setting stands in .env.example with its default and meaning, and nothing else does', () => {
    const file = readFileSync(join(__dirname, '../../../../.env.example'), 'utf8');
    expect(file).toBe(envExample());
  });

  it('[S4-01] .env.example is itself a valid environment that gives the defaults', () => {
    const lines = envExample().split('\n').filter((line) => /^[A-Z]/.test(line));
    const environment = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)));
    expect(readConfig(environment)).toEqual(readConfig({}));
    expect(Object.keys(environment).every((name) => Object.values(SETTINGS).some((each) => each.variable === name))).toBe(true);
  });
});
