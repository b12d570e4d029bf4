import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

/** Runs the cycle check of `npm run lint`. Resolves to its exit code and output. */
const checkCycles = (cwd: string): Promise<{ exitCode: number; output: string }> =>
  new Promise((resolve) => {
    const knip = [join(ROOT, 'node_modules/knip/bin/knip.js'), '--no-progress', '--no-config-hints', '--cycles'];
    execFile(process.execPath, knip, { cwd }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });

describe('module graph', () => {
  it('has no import cycle', async () => {
    const { exitCode, output } = await checkCycles(ROOT);
    expect(output).not.toContain('Circular');
    expect(exitCode).toBe(0);
  }, 60_000);

  it('is checked: a seeded cycle across two libraries is found', async () => {
    const seeded = await mkdtemp(join(tmpdir(), 'foldwork-cycle-'));
    try {
      for (const file of ['knip.json', 'package.json', 'tsconfig.json']) await cp(join(ROOT, file), join(seeded, file));
      await symlink(join(ROOT, 'node_modules'), join(seeded, 'node_modules'));
      await mkdir(join(seeded, 'libs/events/src'), { recursive: true });
      await mkdir(join(seeded, 'libs/domain/src'), { recursive: true });
      await writeFile(join(seeded, 'libs/events/src/index.ts'), `import { b } from '@foldwork/domain';\nexport const a = () => b;\n`);
      await writeFile(join(seeded, 'libs/domain/src/index.ts'), `import { a } from '@foldwork/events';\nexport const b = () => a;\n`);
      const { exitCode, output } = await checkCycles(seeded);
      expect(output).toContain('libs/domain/src/index.ts');
      expect(exitCode).toBe(1);
    } finally {
      await rm(seeded, { recursive: true, force: true });
    }
  }, 60_000);
});
