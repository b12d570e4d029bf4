import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(__dirname, '../../..');
const HOOK = join(ROOT, 'libs/testing/src/processes/typescript-hook.cjs');
const START_LIMIT_MS = 60_000;

/** The standalone server from its sources, as a process of its own. */
export class StandaloneProcess {
  output = '';
  private readonly process: ChildProcess;

  constructor(folder: string, settings: Readonly<Record<string, string>> = {}) {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, FOLDWORK_DATA_DIR: folder, FOLDWORK_HTTP_PORT: '0', FOLDWORK_LOG_LEVEL: 'warn', ...settings };
    this.process = spawn(process.execPath, ['-r', HOOK, join(ROOT, 'apps/standalone/src/main.ts')], { env, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Resolves when it announces itself. */
  async ready(): Promise<this> {
    for (const deadline = Date.now() + START_LIMIT_MS; !this.output.includes('Try: curl'); await sleep(20)) {
      if (this.hasEnded || Date.now() > deadline) throw new Error(`the server did not start:\n${this.output}`);
    }
    return this;
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** What it printed behind `address`, `key` or `data`. */
  printed(name: string): string {
    return new RegExp(`^  ${name}\\s+(\\S+)$`, 'm').exec(this.output)?.[1] ?? '';
  }

  async call(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { authorization: `Bearer ${this.printed('key')}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.printed('address')}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** Resolves with the exit code, null after a kill. */
  async end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.hasEnded) return this.process.exitCode;
    const exit = once(this.process, 'exit');
    if (signal !== undefined) this.process.kill(signal);
    await exit;
    return this.process.exitCode;
  }
}

/** Processes whose command line names the folder. */
export const processesOf = (folder: string): number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false; // ended meanwhile
    }
  });
