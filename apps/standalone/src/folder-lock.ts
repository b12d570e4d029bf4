import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Makes sure that one process at a time uses a data folder: a second one would end the Postgres of the first. The lock
 * is the system's own (SQLite takes it alike on each platform): it ends with its process, however that ends, and is seen
 * from another container too, which a process number in a file is not. Returns how to give it back. Throws with the
 * other's number.
 */
export const lockFolder = (folder: string): (() => void) => {
  const pidFile = join(folder, 'foldwork.pid');
  const database = lockedDatabase(folder, pidFile);
  writeFileSync(pidFile, String(process.pid));
  return () => {
    rmSync(pidFile, { force: true });
    database.close();
  };
};

const lockedDatabase = (folder: string, pidFile: string): DatabaseSync => {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock.sqlite'));
    // Not EXCLUSIVE: of several that ask at once that could refuse all. A file that may only be read is locked for nobody,
    // which nothing but a write says; it is never committed.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE; PRAGMA user_version = 1');
    return database;
  } catch (error) {
    database?.close();
    throw isBusy(error) ? inUse(folder, pidFile) : new Error(`${folder} cannot be locked: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

const SQLITE_BUSY = 5;

const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;

const inUse = (folder: string, pidFile: string): Error => new Error(
  `another Foldwork (${holder(pidFile)}) uses ${folder}; stop it first, or give this one a FOLDWORK_DATA_DIR of its own`,
);

/** For the message alone: it may have been locked this moment, or name the process as another container numbers it. */
const holder = (pidFile: string): string => {
  try {
    return `process ${readFileSync(pidFile, 'utf8')}`;
  } catch {
    return 'just started';
  }
};
