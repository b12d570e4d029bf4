import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, type NatsServerSearch } from './nats-server-place';

/** A machine of the test's own: what is in `bin` is all that it has. */
let machine: string;
let search: NatsServerSearch;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'foldwork-place-'));
  mkdirSync(join(machine, 'bin'));
  search = { url: undefined, path: join(machine, 'bin'), folders: [join(machine, 'sbin')], cacheDir: join(machine, 'cache') };
});
afterEach(() => rmSync(machine, { recursive: true }));

const program = (folder: string, name: string, script = ''): string => {
  mkdirSync(join(machine, folder), { recursive: true });
  const path = join(machine, folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};
/** A package manager that has heard of the package only after an update. */
const packages = (): void => {
  program('bin', 'apt-get', `echo "$1" >> ${machine}/asked
    case "$1" in
      update) : > ${machine}/updated ;;
      download) [ -e ${machine}/updated ] && : > nats-server_2.9.deb ;;
    esac`);
  program('bin', 'dpkg-deb', '/bin/mkdir -p tree/usr/sbin && : > tree/usr/sbin/nats-server && /bin/chmod 755 tree/usr/sbin/nats-server');
};
const unpacked = (): string => join(machine, 'cache/nats-server/usr/sbin/nats-server');

it('is the one of the setting, whatever else there is', async () => {
  program('bin', 'nats-server');
  expect(await findNatsServer({ ...search, url: 'nats://elsewhere:4222' })).toEqual({ kind: 'external', url: 'nats://elsewhere:4222' });
});

it('is one that is installed, on the PATH or where servers are, before one that would have to be fetched', async () => {
  packages();
  const besides = program('sbin', 'nats-server');
  expect(await findNatsServer(search)).toEqual({ kind: 'binary', path: besides });
  const onPath = program('bin', 'nats-server');
  expect(await findNatsServer(search)).toEqual({ kind: 'binary', path: onPath });
  expect(existsSync(join(machine, 'asked'))).toBe(false);
});

it("is that of the distribution's package, unpacked and kept, before one in a container", async () => {
  packages();
  program('bin', 'docker');
  expect(await findNatsServer(search)).toEqual({ kind: 'binary', path: unpacked() });
  const asked = readFileSync(join(machine, 'asked'), 'utf8');
  expect(asked.trim().split('\n')).toEqual(['--version', 'download', 'update', 'download']);
  expect(await findNatsServer(search)).toEqual({ kind: 'binary', path: unpacked() });
  expect(readFileSync(join(machine, 'asked'), 'utf8')).toBe(asked);
});

it('is one in a container where there are no packages', async () => {
  program('bin', 'docker');
  expect(await findNatsServer(search)).toEqual({ kind: 'docker', image: expect.stringMatching(/^nats:\d/) });
});

it('is asked for in one message when there is no way to one', async () => {
  program('bin', 'docker', 'exit 1'); // installed, and its daemon does not run
  await expect(findNatsServer(search)).rejects.toThrow(/nats-server on the PATH.*FOLDWORK_TEST_NATS_URL.*Docker/);
});
