import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;
const INTERRUPTED = 130;

/** Gone when this process is. Open to others: started by root, Postgres runs under another account and keeps its data in there all the same. */
export const throwawayFolder = (prefix: string): string => {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o755);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })); // a Postgres that was starting may still write
  return folder;
};

/** What the user has set is for the user's server: a demonstration must not touch that one's database. */
const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('FOLDWORK_')));

/** The standalone server as a process of its own, so that it can be killed like any other. */
export class ServerProcess {
  private process: ChildProcess | undefined;
  private output = '';
  url = '';

  constructor(
    private readonly program: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** Resolves when it answers. Rejects with its own output when it does not. */
  async start(): Promise<void> {
    this.output = '';
    // A process group of its own: Ctrl-C in the terminal is for this process, which then ends the server in order.
    this.process = spawn(process.execPath, [this.program], { env: { ...withoutSettings(process.env), ...this.environment }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      const address = /address\s+(\S+)/.exec(this.output)?.[1];
      if (address !== undefined) {
        this.url = address;
        return;
      }
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start:\n${this.output.slice(-2_000)}`);
      await sleep(20);
    }
  }

  /** Told to stop, this process ends the server first. Its exit code is set at once, for whoever then misses the server. */
  endWithUs(): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.exitCode = INTERRUPTED;
        void this.end('SIGTERM').then(() => process.exit());
      });
    }
  }

  key(): string {
    return readFileSync(join(this.environment['FOLDWORK_DATA_DIR'] ?? '', 'api-key'), 'utf8').trim();
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = this.process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, 'exit');
    running.kill(signal);
    await exit;
  }
}
