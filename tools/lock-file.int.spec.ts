import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean; readonly dependencies?: Readonly<Record<string, string>> }>>;
}
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const lock: LockFile = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('package-lock.json', () => {
  it('holds the optional packages of every platform, else npm ci refuses it', () => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/complete-lock-file.mjs', '--check'], { cwd: ROOT, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('agrees with package.json about the dependencies', () => {
    expect(lock.packages['']?.dependencies).toEqual(manifest.dependencies);
  });

  it('has a decision for every package that wants to run a script when it is installed', () => {
    const wanting = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    expect(wanting.filter((name) => !(name in manifest.allowScripts))).toEqual([]);
  });
});
