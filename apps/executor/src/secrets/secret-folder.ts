import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Secrets by name; `undefined` when there is none of that name. */
export interface SecretSource {
  read(name: string): Promise<string | undefined>;
}

export const noSecrets: SecretSource = { read: () => Promise.resolve(undefined) };

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * One file per secret, named after it: what Docker and Kubernetes mount. Read each time, so that a secret can be changed
 * without a restart; one line break at the end does not count. Throws when there is no such folder.
 */
export const openSecretFolder = async (folder: string): Promise<SecretSource> => {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof info !== 'object' || !info.isDirectory()) {
    throw new Error(`FOLDWORK_SECRETS_DIR: ${folder} is not a folder that can be read${typeof info === 'string' ? ` (${info})` : ''}`);
  }
  return { read: (name) => (NAME.test(name) ? readSecret(join(folder, name)) : Promise.resolve(undefined)) };
};

const readSecret = async (path: string): Promise<string | undefined> => {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && ABSENT.includes(error.code)) return undefined;
    throw error;
  }
};

const ABSENT: readonly unknown[] = ['ENOENT', 'EISDIR', 'ENOTDIR'];
