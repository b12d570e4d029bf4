import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root; then it runs as `postgres`, or as `nobody` where there is none. */
export const unprivilegedAccount = (): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const entry = ['postgres', 'nobody'].map((name) => entries.find(([user]) => user === name)).find((found) => found !== undefined);
  if (entry === undefined) throw new Error('Postgres does not run as root, and there is neither an account "postgres" nor "nobody" for it. Start Foldwork as another user.');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
};

/** Whether the account can get to the path through all folders above it. */
export const canReach = (path: string, account: Account | undefined): boolean => {
  if (account === undefined) return true;
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};
