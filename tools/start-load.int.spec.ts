import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const APPS = ['gateway', 'planner', 'executor', 'auditor'] as const;

/** What the executor loads while it already holds its lease. */
const LATER = "require('./dist/apps/executor/src/serve-steps.js');";

/** What a service has loaded when it finds out that it has no settings: everything its imports bring. */
const filesOf = (app: string): string[] => {
  const later = app === 'executor' ? LATER : '';
  const tell = `process.on('exit', () => console.log(JSON.stringify(Object.keys(require.cache)))); ${later} require('./dist/apps/${app}/src/main.js');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', tell], { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  expect(stderr).toContain('FOLDWORK_DATABASE_URL is required');
  return JSON.parse(stdout) as string[];
};

const named = (files: readonly string[], pattern: RegExp): Set<string> => new Set(files.flatMap((file) => pattern.exec(file)?.[1] ?? []));
const fromTheirFolders = (files: readonly string[]): Set<string> => named(files, /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/);
const fromBundles = (files: readonly string[]): Set<string> => named(files, /dist\/packages\/(.+)\.package\.js$/);

/** Small, and no part of a bundle because tests watch its statements. */
const PG = /^(pg|postgres)(-|$)|^xtend$/;

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
    const files = filesOf(app);
    const loaded = new Set([...fromTheirFolders(files), ...fromBundles(files)]);
    expect(loaded).toContain('@nestjs/core'); // it did load
    expect(HEAVY[app].filter((name) => loaded.has(name))).toEqual([]);
  });

  it('leaves stacks that name the lines of the sources', () => {
    const fails = `require('./dist/libs/platform/src/process/process-options.js'); require('./dist/libs/actions/src/index.js').defineAction({})`;
    const { stderr } = spawnSync(process.execPath, ['-e', fails], { cwd: ROOT, encoding: 'utf8' });
    const [, line] = /at (?:Object\.)?defineAction \(libs\/actions\/src\/define-action\.ts:(\d+):\d+\)/.exec(stderr) ?? [stderr];
    expect(readFileSync(join(ROOT, 'libs/actions/src/define-action.ts'), 'utf8').split('\n')[Number(line) - 1]).toContain('throw new ActionInvalid');
  });

  it.each(APPS)('loads what the %s needs of packages from bundles: their hundreds of files cost more than what is in them', (app) => {
    const loaded = [...fromTheirFolders(filesOf(app))];
    expect(loaded).toContain('pg'); // the pattern finds them
    expect(loaded.filter((name) => !PG.test(name))).toEqual([]);
  });
});
