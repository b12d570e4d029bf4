import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceAnswer, ServiceQuestion } from './service.preload';

export type App = 'gateway' | 'planner' | 'executor' | 'auditor';

export interface ServiceOptions {
  readonly app: App;
  readonly env: Readonly<Record<string, string>>;
  /** Where it answers; `/readyz` says whether it is at work. */
  readonly url: string;
}

/** `dist`, from here when built; tests run the sources and want the built services all the same. */
const ROOT = join(__dirname, '..', '..', '..');
export const DIST = existsSync(join(ROOT, 'package.json')) ? join(ROOT, 'dist') : ROOT;
const READY_LIMIT_MS = 30_000;

/** One of the four services as a process of its own, as production runs it. */
export class Service {
  private constructor(
    readonly app: App,
    private readonly options: ServiceOptions,
    private readonly child: ChildProcess,
  ) {}

  /** Spawns it and returns at once; `ready` says when it answers. */
  static spawn(options: ServiceOptions): Service {
    const child = fork(join(DIST, 'apps', options.app, 'src', 'main.js'), {
      execArgv: ['--expose-gc', '--require', join(DIST, 'benchmarks', 'src', 'world', 'service.preload.js')],
      env: { PATH: process.env['PATH'], ...options.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new Service(options.app, options, child);
  }

  get url(): string {
    return this.options.url;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async ready(): Promise<this> {
    const deadline = performance.now() + READY_LIMIT_MS;
    while (performance.now() < deadline) {
      if (this.hasEnded) throw new Error(`${this.app} ended while starting; its message is above`);
      if (await answers(`${this.url}/readyz`)) return this;
      await sleep(20);
    }
    throw new Error(`${this.app} was not ready within ${READY_LIMIT_MS} ms`);
  }

  async ask(question: ServiceQuestion): Promise<ServiceAnswer> {
    const answer = once(this.child, 'message');
    this.child.send(question);
    const [first] = (await answer) as [ServiceAnswer]; // one question at a time
    return first;
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** For the moment when the process itself ends and nothing may be waited for. */
  abandon(): void {
    this.child.kill('SIGKILL');
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    this.child.removeAllListeners('message');
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // nobody listens yet
  }
};
