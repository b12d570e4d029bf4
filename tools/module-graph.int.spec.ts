import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '..');

interface Checked {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a check of `npm run lint`. Resolves to its exit code and output. */
const check = (cwd: string, ...flags: string[]): Promise<Checked> =>
  new Promise((resolve) => {
    const knip = [join(ROOT, 'node_modules/knip/bin/knip.js'), '--no-progress', '--no-config-hints', ...flags];
    execFile(process.execPath, knip, { cwd }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });

const checkCycles = (cwd: string): Promise<Checked> => check(cwd, '--cycles');

/** A workspace with our settings and these files. */
const withSeeded = async (files: Readonly<Record<string, string>>, work: (folder: string) => Promise<void>): Promise<void> => {
  const seeded = await mkdtemp(join(tmpdir(), 'foldwork-seeded-'));
  try {
    for (const file of ['knip.json', 'package.json', 'tsconfig.json']) await cp(join(ROOT, file), join(seeded, file));
    await symlink(join(ROOT, 'node_modules'), join(seeded, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(seeded, path)), { recursive: true });
      await writeFile(join(seeded, path), text);
    }
    await work(seeded);
  } finally {
    await rm(seeded, { recursive: true, force: true });
  }
};

/** What the engine is put together from: the rule of a task type, where types are known, where events are kept, what carries wishes and hints. */
const CONTRACTS = [
  ['Orchestrator', 'libs/domain/src/task-types/orchestrator.ts'],
  ['TaskTypeRegistry', 'libs/domain/src/task-types/registry.ts'],
  ['EventLog', 'libs/events/src/log/event-log.port.ts'],
  ['Bus', 'libs/events/src/bus/bus.port.ts'],
] as const;

type Declaration = ts.InterfaceDeclaration | ts.ClassDeclaration;

const declarationOf = (name: string, path: string): Declaration => {
  const source = ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true);
  const isDeclaration = (node: ts.Node): node is Declaration => (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name?.text === name;
  const found = source.statements.find(isDeclaration);
  if (found === undefined) throw new Error(`${path} does not declare ${name}`);
  return found;
};

const isPublic = (member: ts.ClassElement | ts.TypeElement): boolean =>
  member.name !== undefined && (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) === 0;

/** The contract itself, and what it offers to whoever uses it, as far as nothing is said of it. */
const undocumented = (declaration: Declaration): string[] =>
  [declaration, ...[...declaration.members].filter(isPublic)].filter((node) => ts.getJSDocCommentsAndTags(node).length === 0).map((node) => node.name?.getText() ?? '');

describe('the four contracts', () => {
  it.each(CONTRACTS)('[S3-01] %s stands in a file of its own, and all of it is documented', (name, path) => {
    expect(undocumented(declarationOf(name, path))).toEqual([]);
    expect(CONTRACTS.filter(([, other]) => other === path)).toHaveLength(1);
  });

  it('[S3-01] ARCHITECTURE.md says where they are', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    for (const [, path] of CONTRACTS) expect(text).toContain(`\`${path}\``);
  });
});

describe('module graph', () => {
  it('[S3-01] has no import cycle', async () => {
    const { exitCode, output } = await checkCycles(ROOT);
    expect(output).not.toContain('Circular');
    expect(exitCode).toBe(0);
  }, 60_000);

  it('[S3-01] is checked: a seeded cycle across two libraries is found', async () => {
    const files = {
      'libs/events/src/index.ts': `import { b } from '@foldwork/domain';\nexport const a = () => b;\n`,
      'libs/domain/src/index.ts': `import { a } from '@foldwork/events';\nexport const b = () => a;\n`,
    };
    await withSeeded(files, async (folder) => {
      const { exitCode, output } = await checkCycles(folder);
      expect(output).toContain('libs/domain/src/index.ts');
      expect(exitCode).toBe(1);
    });
  }, 60_000);
});

describe('leftovers', () => {
  it('[S3-59] there is no unused file and no dead export in the tree', async () => {
    expect(await check(ROOT, '--include', 'files,exports,types')).toMatchObject({ exitCode: 0 });
  }, 60_000);

  it('[S3-59] are found: a seeded unused file and a seeded dead export fail the check', async () => {
    const files = {
      'libs/domain/src/index.ts': `import { used } from './parts';\nexport const answer = () => used;\n`,
      'libs/domain/src/parts.ts': `export const used = 1;\nexport const deadExport = 2;\n`,
      'libs/domain/src/leftover.ts': `export const forgotten = 3;\n`,
    };
    await withSeeded(files, async (folder) => {
      const { exitCode, output } = await check(folder, '--include', 'files,exports,types');
      expect(output).toContain('leftover.ts');
      expect(output).toContain('deadExport');
      expect(exitCode).toBe(1);
    });
  }, 60_000);
});
