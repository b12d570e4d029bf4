import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Client } from 'pg';

/**
 * Resolves when all that was written so far is on the disk. Otherwise the kernel writes the pages of one workload half a
 * minute later, in the middle of the next one, and each commit of that waits behind them: up to 100 ms at a time.
 */
export const settledDisk = async (superuser: Pick<Client, 'query'>): Promise<void> => {
  await superuser.query('CHECKPOINT');
  await promisify(execFile)('sync');
};
