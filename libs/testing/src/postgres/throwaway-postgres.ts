import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes/free-port';
import { guardFolder } from '../processes/guard-folder';
import { isAnswering, unprivilegedAccount, type Account } from '@foldwork/platform/local-postgres';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries';

export interface ThrowawayPostgresOptions {
  /** Default true: what a test sees durable is durable. */
  readonly fsync?: boolean;
  /** Further server settings (`-c name=value`). */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: whatever is installed. */
  readonly binaries?: PostgresBinaries;
  /** The server ends when this process is gone. Default: this one. */
  readonly ownerPid?: number;
  /** Default: a new one under the system's temporary folder. */
  readonly folder?: string;
}

export interface ThrowawayPostgres {
  /** Database `postgres` as its superuser; stays the same over restarts. */
  readonly url: string;
  readonly folder: string;
  /** Process id of the running postmaster. */
  pid(): number;
  /** SIGKILL to the postmaster, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, ending it first (fast shutdown) when it still runs. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 30_000;

/** A Postgres of one's own: free port, temporary folder, loopback only, gone with its owner even after a crash. */
export const startThrowawayPostgres = async (options: ThrowawayPostgresOptions = {}): Promise<ThrowawayPostgres> => {
  const server = new ThrowawayServer(
    options.folder ?? mkdtempSync(join(tmpdir(), 'foldwork-postgres-')),
    options.binaries ?? (await findPostgresBinaries()),
    await freePort(),
    options,
  );
  await server.initialise();
  await server.start();
  return server;
};

class ThrowawayServer implements ThrowawayPostgres {
  private readonly data: string;
  private readonly account: Account | undefined = unprivilegedAccount();
  private process: ChildProcess | undefined;

  constructor(
    readonly folder: string,
    private readonly binaries: PostgresBinaries,
    private readonly port: number,
    private readonly options: ThrowawayPostgresOptions,
  ) {
    this.data = join(folder, 'data');
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  pid(): number {
    const pid = this.process?.pid;
    if (pid === undefined) throw new Error('Postgres does not run');
    return pid;
  }

  async initialise(): Promise<void> {
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    if (this.account) for (const path of [this.folder, this.data]) chownSync(path, this.account.uid, this.account.gid);
    const { folder } = this;
    guardFolder({ folder, pidFile: join(this.data, 'postmaster.pid'), ownerPid: this.options.ownerPid ?? process.pid, signal: 'SIGQUIT' });
    const flags = ['-D', this.data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    const initdb = this.spawn(this.binaries.initdb, flags);
    const [code] = (await once(initdb, 'exit')) as [number | null]; // `exit` gives code and signal
    if (code !== 0) throw new Error(`initdb failed (${code}): ${this.log()}`);
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1', port: String(this.port), unix_socket_directories: '', fsync: this.options.fsync === false ? 'off' : 'on',
      max_connections: '200', ...this.options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.process = this.spawn(this.binaries.postgres, ['-D', this.data, ...flags]);
    this.process.unref();
    await this.ready();
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.end('SIGINT');
    await this.start();
  }

  async stop(): Promise<void> {
    await this.end('SIGINT');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, 'exit');
    running.ref();
    running.kill(signal);
    await exit;
    if (signal === 'SIGKILL') await this.backendsGone();
  }

  /** After a crash the backends notice by themselves; a new postmaster refuses to start before. */
  private async backendsGone(): Promise<void> {
    await sleep(50);
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      if (this.process?.exitCode !== null) throw new Error(`Postgres ended while starting: ${this.log()}`);
      if (await isAnswering(this.url)) return;
      if (Date.now() > deadline) throw new Error(`Postgres did not answer within ${START_LIMIT_MS} ms: ${this.log()}`);
      await sleep(25);
    }
  }

  private spawn(command: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, 'log'), 'a');
    try {
      return spawn(command, args, { stdio: ['ignore', log, log], cwd: this.folder, env: { ...process.env, LC_ALL: 'C' }, ...this.account, detached: true });
    } finally {
      closeSync(log);
    }
  }

  private log(): string {
    const path = join(this.folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-2_000) : '';
  }
}
