import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startThrowawayPostgres } from './throwaway-postgres';

/**
 * One Postgres for a whole test run, started by the first test that asks. The run is jest's main process: the parent of
 * a worker, or this process when jest runs in band. The server ends with it. Nothing needs to be set up beforehand, so a
 * run without database tests starts no database.
 */
const runPid = process.send === undefined ? process.pid : process.ppid;
const runFolder = join(tmpdir(), `foldwork-run-${process.getuid?.() ?? 0}-${runPid}`);
const urlFile = join(runFolder, 'url');
const lockFolder = `${runFolder}.lock`;
const STALE_LOCK_MS = 60_000;

export const sharedPostgresUrl = async (): Promise<string> => {
  const given = process.env.FOLDWORK_TEST_POSTGRES_URL;
  if (given !== undefined && given !== '') return given;
  return (await runningUrl()) ?? (await underLock(async () => (await runningUrl()) ?? (await start())));
};

const start = async (): Promise<string> => {
  rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder, { recursive: true });
  const { url } = await startThrowawayPostgres({ folder: runFolder, ownerPid: runPid, settings: { max_connections: '300' } });
  const unfinished = `${urlFile}.${process.pid}`;
  writeFileSync(unfinished, url);
  renameSync(unfinished, urlFile);
  return url;
};

const runningUrl = async (): Promise<string | undefined> => {
  const url = readUrl();
  if (url === undefined) return undefined;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return url;
  } catch {
    return undefined; // left behind by a run that had the same process id
  }
};

const readUrl = (): string | undefined => {
  try {
    return readFileSync(urlFile, 'utf8');
  } catch {
    return undefined;
  }
};

const underLock = async <T>(work: () => Promise<T>): Promise<T> => {
  while (!tryLock()) await sleep(50);
  try {
    return await work();
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
};

const tryLock = (): boolean => {
  try {
    mkdirSync(lockFolder);
    return true;
  } catch {
    const since = statSync(lockFolder, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > STALE_LOCK_MS) rmSync(lockFolder, { recursive: true, force: true });
    return false;
  }
};
