import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from '@foldwork/platform';
import { createApiKey, isStoredApiKey } from '@foldwork/platform/http';

/**
 * The key of the standalone server: made at the first start, kept in the data folder for its owner only; made anew where
 * the database does not know it, being another one than before. Returns the key as clients send it.
 */
export const firstKey = async (databaseUrl: string, dataFolder: string, namespace: string): Promise<string> => {
  const file = join(dataFolder, 'api-key');
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  const pool = createPool({ databaseUrl, maximum: 1, applicationName: 'first-key', asOwner: true });
  try {
    if (await isStoredApiKey(pool, kept)) return kept;
    const key = await createApiKey(pool, { name: 'standalone', namespace, role: 'admin' });
    writeFileSync(file, key, { mode: 0o600 });
    return key;
  } finally {
    await pool.end();
  }
};
