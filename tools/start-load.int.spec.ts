import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const APPS = ['gateway', 'planner', 'executor', 'auditor'] as const;

/** What the executor loads while it already holds its lease. */
const LATER = "require('./dist/apps/executor/src/serve-steps.js');";

/** What a service has loaded when it finds out that it has no settings: everything its imports bring. */
const loadedBy = (app: string): Set<string> => {
  const later = app === 'executor' ? LATER : '';
  const tell = `process.on('exit', () => console.log(JSON.stringify(Object.keys(require.cache)))); ${later} require('./dist/apps/${app}/src/main.js');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', tell], { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  expect(stderr).toContain('FOLDWORK_DATABASE_URL is required');
  const files = JSON.parse(stdout) as string[];
  return new Set(files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(file)?.[1] ?? []));
};

/** Packages that take 20 ms or more. A killed service is back when it has loaded, so each of them is somebody's outage. */
const HEAVY = {
  gateway: ['@nestjs/swagger', 'ajv-formats', 'jose', 'typeorm', 'yaml', 'zod'],
  planner: ['@nestjs/microservices', 'ajv', 'class-validator', 'fastify', 'jose', 'typeorm', 'yaml', 'zod'],
  executor: ['ajv', 'class-validator', 'fastify', 'jose', 'typeorm', 'yaml'],
  auditor: ['ajv', 'class-validator', 'fastify', 'jose', 'typeorm', 'yaml', 'zod'],
} as const;

describe('the start of a service', () => {
  beforeAll(() => {
    execFileSync(process.execPath, ['tools/build.mjs', ...APPS.map((app) => `apps/${app}`), ...['actions', 'domain', 'events', 'platform', 'read-models'].map((lib) => `libs/${lib}`)], { cwd: ROOT });
  }, 60_000);

  it.each(APPS)('loads nothing heavy that the %s does not work with at once', (app) => {
    const loaded = loadedBy(app);
    expect(loaded).toContain('@nestjs/core'); // it did load
    expect(HEAVY[app].filter((name) => loaded.has(name))).toEqual([]);
  });
});
