import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAnswering, postgresFiles, unprivilegedAccount, type Account, type PostgresFiles } from '@foldwork/platform/local-postgres';

export interface EmbeddedPostgres {
  readonly url: string;
  readonly dataFolder: string;
  /** Fast, orderly shutdown. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const SET_UP = 'postgres.new-';

/**
 * The Postgres that comes with Foldwork: loopback only, with a password of its own, every commit on disk. It ends with
 * this process, however that ends. Throws with the server's own words when it does not start; `onLost` is told when it
 * ends by itself later.
 */
export const startEmbeddedPostgres = async (dataFolder: string, onLost: (message: string) => void): Promise<EmbeddedPostgres> => {
  const account = unprivilegedAccount();
  const files = postgresFiles(dataFolder, account);
  const server = new Server(files, account, onLost);
  await server.prepare();
  await server.start();
  return server;
};

class Server implements EmbeddedPostgres {
  private readonly folder: string;
  private readonly passwordFile: string;
  private process: ChildProcess | undefined;
  private port = 0;
  private isStopping = false;

  constructor(
    private readonly files: PostgresFiles,
    private readonly account: Account | undefined,
    private readonly onLost: (message: string) => void,
  ) {
    this.folder = dirname(files.data);
    this.passwordFile = join(this.folder, 'postgres-password');
  }

  get url(): string {
    return `postgres://foldwork:${readFileSync(this.passwordFile, 'utf8').trim()}@127.0.0.1:${this.port}/postgres`;
  }

  get dataFolder(): string {
    return this.files.data;
  }

  async prepare(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    if (existsSync(join(this.files.data, 'PG_VERSION'))) return this.endPredecessor();
    for (const name of readdirSync(this.folder)) if (name.startsWith(SET_UP)) rmSync(join(this.folder, name), { recursive: true, force: true, maxRetries: 5 });
    await this.setUp(join(this.folder, `${SET_UP}${randomBytes(4).toString('hex')}`));
  }

  /** Under another name until it is whole: a set-up that is cut off is begun anew, even while its `initdb` goes on. */
  private async setUp(partial: string): Promise<void> {
    mkdirSync(partial, { mode: 0o700 });
    writeFileSync(this.passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (this.account) for (const path of [partial, this.passwordFile]) chownSync(path, this.account.uid, this.account.gid);
    const flags = ['-D', partial, '-U', 'foldwork', '--auth=scram-sha-256', `--pwfile=${this.passwordFile}`, '--encoding=UTF8', '--locale=C'];
    const initdb = this.spawn('initdb', flags);
    const [code] = (await once(initdb, 'exit')) as [number | null]; // `exit` gives code and signal
    if (code !== 0) throw new Error(`the embedded Postgres could not be set up: ${this.log()}`);
    rmSync(this.files.data, { recursive: true, force: true });
    renameSync(partial, this.files.data);
  }

  async start(): Promise<void> {
    this.port = await freePort();
    const settings = { listen_addresses: '127.0.0.1', port: String(this.port), unix_socket_directories: '', max_connections: '100', fsync: 'on', synchronous_commit: 'on' };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.process = this.spawn('postgres', ['-D', this.files.data, ...flags]);
    const watcher = guard(this.process.pid);
    this.process.once('exit', () => watcher.kill('SIGKILL')); // it must never end a process that got the number later
    await this.ready();
    this.process.once('exit', () => {
      if (!this.isStopping) this.onLost(`the embedded Postgres ended by itself: ${this.log()}`);
    });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    const running = this.process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, 'exit');
    running.kill('SIGINT');
    const hard = setTimeout(() => running.kill('SIGQUIT'), STOP_LIMIT_MS);
    await exit;
    clearTimeout(hard);
  }

  /**
   * One that survived the process it belonged to must end before its data is opened again. Its number may be another
   * process's by now, which stays untouched: Postgres would take it for the server and refuse to start.
   */
  private async endPredecessor(): Promise<void> {
    const pidFile = join(this.files.data, 'postmaster.pid');
    if (!existsSync(pidFile)) return;
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    const command = commandOf(pid);
    if (command === undefined) return;
    if (!command.includes(this.files.data)) return rmSync(pidFile, { force: true });
    process.kill(pid, 'SIGINT');
    for (let waitedMs = 0; waitedMs < STOP_LIMIT_MS; waitedMs += 20) {
      if (commandOf(pid)?.includes(this.files.data) !== true) return;
      await sleep(20);
    }
    throw new Error(`another Foldwork (Postgres process ${pid}) uses ${this.files.data}; stop it first`);
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await isAnswering(this.url))) {
      if (this.process === undefined || this.process.exitCode !== null || this.process.signalCode !== null) throw new Error(`the embedded Postgres ended while starting: ${this.log()}`);
      if (Date.now() > deadline) throw new Error(`the embedded Postgres did not answer within ${START_LIMIT_MS} ms: ${this.log()}`);
      await sleep(20);
    }
  }

  private spawn(program: string, args: readonly string[]): ChildProcess {
    const path = join(this.folder, 'postgres.log');
    const log = openSync(path, 'a');
    chmodSync(path, 0o644);
    try {
      // A process group of its own: Ctrl-C in the terminal is for Foldwork, which then stops Postgres in order.
      return spawn(join(this.files.programs, program), args, { stdio: ['ignore', log, log], cwd: '/', env: { LC_ALL: 'C', PATH: process.env.PATH }, ...this.account, detached: true });
    } finally {
      closeSync(log);
    }
  }

  private log(): string {
    return readFileSync(join(this.folder, 'postgres.log'), 'utf8').slice(-2_000);
  }
}

/** Program and arguments of a process; absent when it is gone, or on a system without /proc, where Postgres itself checks its pid file. */
const commandOf = (pid: number): readonly string[] | undefined => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return undefined;
  }
};

/** Ends the server when this process is gone without having stopped it: its end of the pipe closes then. */
const guard = (pid: number | undefined): ChildProcess => {
  const script = `process.stdin.on('end', () => { try { process.kill(${pid}, 'SIGINT'); } catch {} process.exit(); }).resume();`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return child;
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listens on TCP
  server.close();
  await once(server, 'close');
  return port;
};
