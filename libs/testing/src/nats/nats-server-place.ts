import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the tests' nats-server comes from. */
export type NatsServerPlace =
  | { readonly kind: 'external'; readonly url: string }
  | { readonly kind: 'binary'; readonly path: string }
  | { readonly kind: 'docker'; readonly image: string };

export interface NatsServerSearch {
  /** `FOLDWORK_TEST_NATS_URL`. */
  readonly url: string | undefined;
  /** `PATH`: where the server is looked for, and the programs that may bring one. */
  readonly path: string;
  /** Where else the server is looked for. Default: where Debian puts servers, which ordinary users have not on their PATH. */
  readonly folders?: readonly string[];
  /** A folder of our own in which an unpacked server is kept between runs. */
  readonly cacheDir: string;
}

const DOCKER_IMAGE = 'nats:2.12-alpine';
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];

/** In this order: a URL from outside, a binary on this machine, the distribution's package, Docker. */
export const findNatsServer = async (search: NatsServerSearch): Promise<NatsServerPlace> => {
  if (search.url !== undefined && search.url !== '') return { kind: 'external', url: search.url };
  const path = (await findBinary(search)) ?? (await unpackPackage(search));
  if (path !== undefined) return { kind: 'binary', path };
  if (await succeeds(search, 'docker', ['version'])) return { kind: 'docker', image: DOCKER_IMAGE };
  throw new Error(
    'No nats-server for the tests. Put nats-server on the PATH (https://github.com/nats-io/nats-server/releases), '
      + 'or set FOLDWORK_TEST_NATS_URL to a server with JetStream, or start Docker.',
  );
};

const findBinary = async ({ path, folders = SERVER_FOLDERS }: NatsServerSearch): Promise<string | undefined> => {
  for (const folder of [...path.split(delimiter), ...folders]) {
    for (const name of ['nats-server', 'nats-server.exe']) {
      const candidate = join(folder, name);
      if (folder !== '' && (await isExecutable(candidate))) return candidate;
    }
  }
  return undefined;
};

const isExecutable = (path: string): Promise<boolean> => access(path, constants.X_OK).then(() => true, () => false);

/**
 * The package is unpacked, not installed: installing it would start a service of its own on the default port, and
 * unpacking needs no root. Two test runs may do this at once: the last step is a rename.
 */
const unpackPackage = async (search: NatsServerSearch): Promise<string | undefined> => {
  const { cacheDir } = search;
  const target = join(cacheDir, 'nats-server');
  const binary = join(target, 'usr', 'sbin', 'nats-server');
  if (await isExecutable(binary)) return binary;
  if (!(await succeeds(search, 'apt-get', ['--version']))) return undefined;
  const work = await mkdtemp(join(tmpdir(), 'foldwork-nats-package-'));
  try {
    if (!(await download(search, work))) return undefined;
    await mkdir(cacheDir, { recursive: true });
    await rename(join(work, 'tree'), target).catch(() => undefined);
    return (await isExecutable(binary)) ? binary : undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

const download = async (search: NatsServerSearch, folder: string): Promise<boolean> => {
  const get = (): Promise<boolean> => succeeds(search, 'apt-get', ['download', 'nats-server'], folder);
  if (!(await get()) && !((await succeeds(search, 'apt-get', ['update'])) && (await get()))) return false;
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  return archive !== undefined && succeeds(search, 'dpkg-deb', ['-x', archive, 'tree'], folder);
};

const succeeds = ({ path }: NatsServerSearch, command: string, args: readonly string[], cwd?: string): Promise<boolean> =>
  run(command, args, { timeout: 180_000, env: { ...process.env, PATH: path }, ...(cwd === undefined ? {} : { cwd }) }).then(() => true, () => false);
