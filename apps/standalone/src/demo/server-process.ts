import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;

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
    this.process = spawn(process.execPath, [this.program], { env: { ...process.env, ...this.environment }, stdio: ['ignore', 'pipe', 'pipe'] });
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
