import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPostgresEventLog, PostgresDefinitionStore } from '@foldwork/events';
import { ALL_MIGRATIONS, createLogger, createPool, readConfig } from '@foldwork/platform';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { checkLog, databaseLog, exportedLog, exportLines } from '../../../planner/src';
import { startStandalone, type Standalone } from '../standalone';
import { actionsOf, loadExample, playExample, type ExampleServices, type LoadedExample } from './example';

const EXAMPLES = join(__dirname, '../../../../examples');
const NAMES = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

let database: TestDatabase;
let server: Standalone;
const loaded = new Map<string, LoadedExample>();
const services = new Map<string, ExampleServices | undefined>();
const logged: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ migrations: ALL_MIGRATIONS });
  for (const name of NAMES) {
    const example = await loadExample(join(EXAMPLES, name));
    loaded.set(name, example);
    services.set(name, await example.example.startServices?.());
    Object.assign(process.env, services.get(name)?.env);
  }
  const actions = [...loaded.values()].flatMap(actionsOf).join(',');
  const config = readConfig({ FOLDWORK_AUTH: 'off', FOLDWORK_HTTP_PORT: '0', FOLDWORK_MIGRATE: 'off', FOLDWORK_ACTIONS: actions });
  const logger = createLogger({ app: 'standalone', level: 'error', destination: { write: (line) => void logged.push(line) } });
  server = await startStandalone(config, database.url, logger);
}, 60_000);

afterAll(async () => {
  await server?.close();
  for (const [, each] of services) await each?.close();
  await database?.drop();
});

describe('the examples', () => {
  it('are the four that the documentation speaks of', () => {
    expect(NAMES.toSorted()).toEqual(['content-pipeline', 'document-review', 'marketplace-publish', 'nightly-reconciliation']);
  });

  it.each(NAMES)('%s comes out as it should, on the standalone server', async (name) => {
    const lines: string[] = [];
    const example = loaded.get(name);
    if (example === undefined) throw new Error(`${name} was not loaded`);
    await playExample(example, { url: `${server.url}/orchestrator`, key: '' }, services.get(name), (line) => lines.push(line));
    expect(lines.filter((line) => line.includes('(the timeline ended'))).toEqual([]);
    expect(lines.some((line) => line.includes('run requested'))).toBe(true);
    expect(logged).toEqual([]);
  }, 60_000);

  it('[S3-58] leave a log that this version would write again, read from the database and from an exported file', async () => {
    const log = createPostgresEventLog({ connectionString: database.url, readConnectionsMax: 1 });
    const pool = createPool({ databaseUrl: database.url, maximum: 1, applicationName: 'check' });
    try {
      const definitions = new PostgresDefinitionStore(pool);
      const report = await checkLog(databaseLog(log, definitions));
      expect(report.differences).toEqual([]);
      expect(report.runs).toBeGreaterThan(15);
      const exported = await exportedLog(exportLines(log, definitions));
      expect(await checkLog(exported)).toEqual(report);
    } finally {
      await Promise.all([log.close(), pool.end()]);
    }
  });
});
