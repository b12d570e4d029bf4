import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGuardedServer } from './guarded-server';
import { findNatsServer, type NatsServerPlace } from './nats-server-place';

const run = promisify(execFile);

/** A nats-server with JetStream that belongs to the tests. It ends with the test run, also when that crashes. */
export interface ThrowawayNats {
  readonly url: string;
  /** JetStream's folder; wiping it is a fault that tests may inject. `undefined` for a server from outside. */
  readonly storeDir: string | undefined;
  /** Of the server now running; for measuring what it uses. */
  readonly pid: () => number | undefined;
  /** Ends the server in an orderly way and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL; the folder stays for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; stops it first if it runs. */
  restart(): Promise<void>;
}

export interface ThrowawayNatsOptions {
  /** Further arguments of nats-server, e.g. `['-c', file]`. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const START_TIMEOUT_MS = 15_000;

/** Starts one, found as `findNatsServer` says. A server from outside (`FOLDWORK_TEST_NATS_URL`) is never stopped. */
export const startThrowawayNats = async (options: ThrowawayNatsOptions = {}): Promise<ThrowawayNats> => {
  const env = options.env ?? process.env;
  const place = await findNatsServer({
    url: env['FOLDWORK_TEST_NATS_URL'],
    path: env['PATH'] ?? '',
    cacheDir: join(process.cwd(), 'node_modules', '.cache', 'foldwork'),
  });
  if (place.kind === 'external') return externalNats(place.url);
  const folder = await mkdtemp(join(tmpdir(), 'foldwork-nats-'));
  const server = place.kind === 'binary' ? binaryLauncher(place.path, folder, options.args ?? []) : dockerLauncher(place, folder);
  return localNats(server, folder);
};

const externalNats = (url: string): ThrowawayNats => {
  const refuse = (): Promise<void> => Promise.reject(new Error('The NATS of FOLDWORK_TEST_NATS_URL is not ours to stop; unset it for this test.'));
  return { url, storeDir: undefined, pid: () => undefined, stop: () => Promise.resolve(), kill: refuse, restart: refuse };
};

interface RunningNats {
  readonly port: number;
  readonly pid: number | undefined;
  end(signal: 'TERM' | 'KILL', keep: boolean): Promise<void>;
}
/** Port 0: any free one. */
type Launch = (port: number) => Promise<RunningNats>;

const localNats = async (launch: Launch, folder: string): Promise<ThrowawayNats> => {
  let running: RunningNats | undefined = await launch(0);
  const { port } = running;
  const end = async (signal: 'TERM' | 'KILL', keep: boolean): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.end(signal, keep);
    if (!keep) await rm(folder, { recursive: true, force: true });
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    storeDir: join(folder, 'store'),
    pid: () => running?.pid,
    stop: () => end('TERM', false),
    kill: () => end('KILL', true),
    restart: async () => {
      await end('TERM', true);
      running = await launch(port);
    },
  };
};

const binaryLauncher = (binary: string, folder: string, args: readonly string[]): Launch => async (port) => {
  const portFlag = port === 0 ? '-1' : String(port); // -1: the server takes a free port and tells it in a file
  const server = await startGuardedServer(
    [binary, '-a', '127.0.0.1', '-p', portFlag, '-js', '-sd', join(folder, 'store'), '--ports_file_dir', folder, '-l', join(folder, 'log'), ...args],
    folder,
  );
  try {
    const actual = await waitFor(() => readPort(folder, server.pid), () => logTail(folder));
    await waitFor(() => greets(actual), () => logTail(folder));
    return { port: actual, pid: server.pid, end: (signal, keep) => server.end(signal, keep) };
  } catch (error) {
    await server.end('KILL', false);
    throw error;
  }
};

const readPort = async (folder: string, pid: number): Promise<number | undefined> => {
  const name = (await readdir(folder)).find((file) => file.endsWith(`_${pid}.ports`));
  if (name === undefined) return undefined;
  const port = /"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(await readFile(join(folder, name), 'utf8'))?.[1];
  return port === undefined ? undefined : Number(port);
};

const logTail = async (folder: string): Promise<string> =>
  (await readFile(join(folder, 'log'), 'utf8').catch(() => '')).split('\n').slice(-5).join(' | ');

/** A NATS server speaks first: a line that begins with INFO. */
const greets = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (answer: true | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (chunk) => done(chunk.toString().startsWith('INFO') ? true : undefined));
    socket.once('error', () => done(undefined));
  });

const waitFor = async <T>(look: () => Promise<T | undefined>, details: () => Promise<string>): Promise<T> => {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error(`The nats-server for the tests did not start. ${await details()}`);
};

/** `--rm` and a guard that stops the container by name: it ends with us as well. */
const dockerLauncher = (place: Extract<NatsServerPlace, { kind: 'docker' }>, folder: string): Launch => async (port) => {
  const name = `foldwork-nats-${process.pid}-${Date.now()}`;
  const ports = port === 0 ? '127.0.0.1::4222' : `127.0.0.1:${port}:4222`;
  const server = await startGuardedServer(
    ['docker', 'run', '--rm', '--name', name, '-p', ports, '-v', `${join(folder, 'store')}:/data`, place.image, '-js', '-sd', '/data'],
    folder,
  );
  const actual = await waitFor(() => dockerPort(name), () => containerLog(name));
  await waitFor(() => greets(actual), () => containerLog(name));
  return {
    port: actual,
    pid: undefined,
    end: async (signal, keep) => {
      await run('docker', signal === 'KILL' ? ['kill', name] : ['stop', name]).catch(() => undefined);
      await server.end(signal, keep);
    },
  };
};

const containerLog = (name: string): Promise<string> =>
  run('docker', ['logs', '--tail', '5', name]).then(({ stdout, stderr }) => stdout + stderr, () => '');

const dockerPort = async (name: string): Promise<number | undefined> => {
  const { stdout } = await run('docker', ['port', name, '4222']).catch(() => ({ stdout: '' }));
  const port = /:(\d+)\s*$/.exec(stdout.trim())?.[1];
  return port === undefined ? undefined : Number(port);
};
