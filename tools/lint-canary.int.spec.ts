import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * A rule that is not active is silent, and so is one that finds nothing. Here a copy of the workspace's settings gets
 * files with known faults and is linted the way CI does it, through Nx with its project graph.
 */
const ROOT = join(__dirname, '..');
const SETTINGS = ['nx.json', 'package.json', 'tsconfig.json', 'eslint.config.mjs', '.swcrc'];

const SOURCES: Record<string, string> = {
  'libs/events/src/index.ts': `export const log = 1;\n`,
  'libs/events/src/contracts/index.ts': `export const contract = 1;\n`,
  'libs/events/src/contracts/impure.ts': `import { log } from '../index';\nexport const at = Date.now() + log;\n`,
  'libs/events/src/bus/nats.adapter.ts': `export const nats = 1;\n`,
  'libs/events/src/log/postgres.adapter.ts': `import { nats } from '../bus/nats.adapter';\nexport const postgres = nats;\n`,
  'libs/events/src/upwards.ts': `import { projected } from '@foldwork/read-models';\nexport const upwards = projected;\n`,
  'libs/domain/src/index.ts': `import { contract } from '@foldwork/events/contracts';\nexport const domain = contract;\n`,
  'libs/domain/src/pure.ts': `export const later = (at: number): string => new Date(at).toISOString();\n`,
  'libs/domain/src/impure.ts': [
    `import { readFileSync } from 'node:fs';`,
    `import { Module } from '@nestjs/common';`,
    `import { log } from '@foldwork/events';`,
    `export const faults = [`,
    `  readFileSync, Module, log,`,
    `  Date.now(),`,
    `  new Date(),`,
    `  Math.random(),`,
    `  process.env,`,
    `  setTimeout,`,
    `  console,`,
    `];`,
  ].join('\n'),
  'libs/domain/src/forgotten.ts': `export const start = (): void => {\n  Promise.resolve(1);\n};\n`,
  'libs/read-models/src/index.ts': `export { projected } from './runs.projection';\n`,
  'libs/read-models/src/runs.projection.ts': `export const projected = Date.now();\n`,
  'apps/executor/src/executor.module.ts': `export const executor = 1;\n`,
  'apps/gateway/src/neighbour.ts': `import { executor } from '../../executor/src/executor.module';\nexport const n = executor;\n`,
  'apps/gateway/src/fixture.ts': `import { fixture } from '@foldwork/testing';\nexport const f = fixture;\n`,
  'apps/standalone/src/parts.ts': `import { executor } from '../../executor/src/executor.module';\nexport const parts = executor;\n`,
  'apps/standalone/src/demo/deeper.ts': `import { executor } from '../../../executor/src/executor.module';\nexport const deeper = executor;\n`,
  'libs/testing/src/index.ts': `export const fixture = 1;\n`,
};

interface LintResult {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string; readonly line: number; readonly severity: number }[];
}

interface LintRun {
  readonly exitCode: number;
  readonly results: readonly LintResult[];
}

let workspace: string;
const runs = new Map<string, Promise<LintRun>>();

const lint = (project: string): Promise<LintRun> => {
  const run = runs.get(project) ?? runLint(project);
  runs.set(project, run);
  return run;
};

const runLint = async (project: string): Promise<LintRun> => {
  const report = join(workspace, `${project}.json`);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NX|JEST|npm)_/.test(name)));
  const nx = join(workspace, 'node_modules/nx/dist/bin/nx.js');
  const run = promisify(execFile)(process.execPath, [nx, 'lint', project, '--skip-nx-cache', '--format=json', `--output-file=${report}`], {
    cwd: workspace,
    env: { ...env, CI: 'true' },
  });
  const exitCode = await run.then(() => 0, (error: { code: number }) => error.code);
  return { exitCode, results: JSON.parse(await readFile(report, 'utf8')) };
};

const faultsOf = (results: readonly LintResult[], file: string): string[] =>
  results
    .filter(({ filePath }) => filePath.endsWith(file))
    .flatMap(({ messages }) => messages.map(({ line, ruleId }) => `${line} ${ruleId}`));

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'foldwork-lint-'));
  for (const file of SETTINGS) await cp(join(ROOT, file), join(workspace, file));
  for (const file of globSync('{apps,libs}/*/{project,tsconfig}.json', { cwd: ROOT })) {
    await cp(join(ROOT, file), join(workspace, file));
  }
  await symlink(join(ROOT, 'node_modules'), join(workspace, 'node_modules'));
  for (const [file, text] of Object.entries(SOURCES)) {
    await mkdir(dirname(join(workspace, file)), { recursive: true });
    await writeFile(join(workspace, file), text);
  }
}, 60_000);

afterAll(() => rm(workspace, { recursive: true, force: true }));

describe('lint canary', () => {
  it('refuses I/O, clock, randomness, timers, output, frameworks and other libraries in pure code', async () => {
    const { exitCode, results } = await lint('domain');
    expect(exitCode).toBe(1);
    expect(faultsOf(results, 'domain/src/impure.ts')).toEqual([
      '1 no-restricted-imports',
      '2 no-restricted-imports',
      '3 no-restricted-imports',
      '6 no-restricted-properties',
      '7 no-restricted-syntax',
      '8 no-restricted-properties',
      '9 no-restricted-globals',
      '10 no-restricted-globals',
      '11 no-restricted-globals',
    ]);
    expect(faultsOf(results, 'domain/src/pure.ts')).toEqual([]);
    expect(faultsOf(results, 'domain/src/index.ts')).toEqual([]);
  }, 120_000);

  it('refuses a promise that nobody waits for', async () => {
    const { results } = await lint('domain');
    expect(faultsOf(results, 'forgotten.ts')).toEqual(['2 @typescript-eslint/no-floating-promises']);
  }, 120_000);

  it('refuses a library that depends upwards, an adapter that imports an adapter, and impure contracts', async () => {
    const { exitCode, results } = await lint('events');
    expect(exitCode).toBe(1);
    expect(faultsOf(results, 'upwards.ts')).toEqual(['1 @nx/enforce-module-boundaries']);
    expect(faultsOf(results, 'postgres.adapter.ts')).toEqual(['1 no-restricted-imports']);
    expect(faultsOf(results, 'contracts/impure.ts')).toEqual(['1 no-restricted-imports', '2 no-restricted-properties']);
  }, 120_000);

  it('refuses a clock in a projection', async () => {
    const { results } = await lint('read-models');
    expect(faultsOf(results, 'runs.projection.ts')).toEqual(['1 no-restricted-properties']);
  }, 120_000);

  it('refuses an app that imports an app or test fixtures', async () => {
    const { exitCode, results } = await lint('gateway');
    expect(exitCode).toBe(1);
    expect(faultsOf(results, 'neighbour.ts')).toEqual(['1 @nx/enforce-module-boundaries']);
    expect(faultsOf(results, 'fixture.ts')).toContain('1 no-restricted-imports');
  }, 120_000);

  it('lets the standalone app be made of the modules of the services', async () => {
    const { exitCode, results } = await lint('standalone');
    expect(faultsOf(results, 'parts.ts')).toEqual([]);
    expect(faultsOf(results, 'deeper.ts')).toEqual([]);
    expect(exitCode).toBe(0);
  }, 120_000);
});
