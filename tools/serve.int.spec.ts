import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..');

/** A process whose output is waited for, never slept for. */
class Watched {
  private output = '';
  private readonly waiting = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        this.waiting.forEach((check) => check());
      });
    }
  }

  async says(text: string): Promise<void> {
    if (!this.output.includes(text)) {
      const said = Promise.withResolvers<void>();
      const check = (): void => (this.output.includes(text) ? said.resolve() : undefined);
      this.waiting.add(check);
      await said.promise;
      this.waiting.delete(check);
    }
    this.output = this.output.slice(this.output.indexOf(text) + text.length);
  }

  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    return ended;
  }
}

let workspace: string;
let served: Watched | undefined;

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(workspace, path)), { recursive: true });
  await writeFile(join(workspace, path), text);
};

const MAIN = `import { word } from '@foldwork/domain';
const alive = setInterval(() => undefined, 1_000);
process.on('SIGTERM', () => { console.log('stopped', word); clearInterval(alive); });
console.log('running', word, process.env['WORD']);
`;

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'foldwork-serve-'));
  for (const file of ['.swcrc', 'tsconfig.json', 'package-lock.json', 'tools/build.mjs', 'tools/bundle-packages.mjs', 'tools/serve.mjs']) await cp(join(ROOT, file), join(workspace, file));
  await symlink(join(ROOT, 'node_modules'), join(workspace, 'node_modules'));
  await write('package.json', '{}');
  await write('.env', 'WORD=from-env\n');
  await write('libs/domain/src/index.ts', `export const word: string = 'one';\n`);
  await write('apps/gateway/src/main.ts', MAIN);
  await write('apps/gateway/src/main.spec.ts', `throw new Error('a test is not built');\n`);
});

afterEach(async () => {
  if (served?.child.exitCode === null) await served.stop();
  served = undefined;
  await rm(workspace, { recursive: true, force: true });
});

describe('nx serve', () => {
  it('runs the app with .env, starts it anew when a library changes, survives a bad build, and leaves nothing running', async () => {
    served = new Watched(spawn(process.execPath, ['tools/serve.mjs', 'apps/gateway'], { cwd: workspace }));
    await served.says('running one from-env');

    await write('libs/domain/src/index.ts', `export const word = ;\n`);
    await served.says('not restarted, the build failed');

    await write('libs/domain/src/index.ts', `export const word: string = 'two';\n`);
    await served.says('stopped one');
    await served.says('running two from-env');

    const stopped = served.says('stopped two');
    expect(await served.stop()).toBe(0);
    await stopped;
  }, 60_000);
});

describe('build', () => {
  const build = (): Promise<number | null> =>
    new Promise((resolve) => spawn(process.execPath, ['tools/build.mjs', 'apps/gateway', 'libs/domain'], { cwd: workspace }).once('exit', resolve));

  it('removes the output of a source that is gone, copies data files, leaves tests out', async () => {
    await write('apps/gateway/src/gone.ts', 'export const gone = 1;\n');
    await write('libs/domain/src/corpus.json', '{}');
    expect(await build()).toBe(0);
    expect(existsSync(join(workspace, 'dist/apps/gateway/src/gone.js'))).toBe(true);
    expect(existsSync(join(workspace, 'dist/libs/domain/src/corpus.json'))).toBe(true);
    expect(existsSync(join(workspace, 'dist/apps/gateway/src/main.spec.js'))).toBe(false);

    await rm(join(workspace, 'apps/gateway/src/gone.ts'));
    expect(await build()).toBe(0);
    expect(existsSync(join(workspace, 'dist/apps/gateway/src/gone.js'))).toBe(false);
    expect(existsSync(join(workspace, 'dist/apps/gateway/src/gone.js.map'))).toBe(false);
    expect(existsSync(join(workspace, 'dist/apps/gateway/src/main.js'))).toBe(true);
  }, 60_000);
});
