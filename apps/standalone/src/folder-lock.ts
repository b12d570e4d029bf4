import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes sure that one process at a time uses a data folder: a second one would end the Postgres of the first. The lock
 * names its process and when that began, so that one left behind by a kill is known for what it is, even if the process
 * number was given out again. Returns how to give it back. Throws with the other's number.
 */
export const lockFolder = (folder: string): (() => void) => {
  const path = join(folder, 'foldwork.lock');
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (create(path)) return () => rmSync(path, { force: true });
    const holder = readHolder(path);
    if (holder !== undefined && isRunning(holder)) {
      throw new Error(`another Foldwork (process ${holder.pid}) uses ${folder}; stop it first, or give this one a FOLDWORK_DATA_DIR of its own`);
    }
    if (holder !== undefined) discard(path, holder);
  }
  throw new Error(`${path} cannot be taken; several processes start here at once`);
};

const TRIES_MAX = 5;

interface Holder {
  readonly pid: number;
  readonly began: string;
}

/** Linked, not written there: a lock that can be seen says whose it is. */
const create = (path: string): boolean => {
  const mine = `${path}.new.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${beganAt(process.pid)}`);
  try {
    return isLinked(mine, path);
  } finally {
    rmSync(mine, { force: true });
  }
};

const isLinked = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
};

const readHolder = (path: string): Holder | undefined => {
  try {
    const [pid, began = ''] = readFileSync(path, 'utf8').split(' ');
    return { pid: Number(pid), began };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined; // given back just now
    throw error;
  }
};

/** Moved away before it is removed: somebody who started at the same moment may have put theirs there, and gets it back. */
const discard = (path: string, left: Holder): void => {
  const aside = `${path}.old.${process.pid}`;
  try {
    renameSync(path, aside);
    const moved = readHolder(aside);
    if (moved?.pid !== left.pid || moved.began !== left.began) isLinked(aside, path);
    rmSync(aside, { force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
};

const isRunning = ({ pid, began }: Holder): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
  return pid !== process.pid && beganAt(pid) === began;
};

/** In clock ticks since the machine started; '' on systems without /proc, where the number alone has to do. */
const beganAt = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return '';
  }
};

const isCode = (error: unknown, code: string): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === code;
