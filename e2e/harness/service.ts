import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type App = 'gateway' | 'planner' | 'executor' | 'auditor';

export const WORKSPACE = join(__dirname, '../..');

/** A line of a service's log. */
export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** Where a service is killed; see crash-at.process.cjs. */
export interface CrashPoint {
  readonly when: 'before' | 'after';
  readonly on: 'sql' | 'bus';
  readonly match: string;
  readonly nth?: number;
}

/** One service as a process of its own, as it is shipped. */
export class Service {
  readonly lines: LogLine[] = [];
  readonly spawnedAt = performance.now();
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();
  private errors = '';

  constructor(
    readonly app: App,
    env: Readonly<Record<string, string>>,
  ) {
    this.child = fork(join(WORKSPACE, `dist/apps/${app}/src/main.js`), {
      execArgv: ['-r', join(__dirname, 'crash-at.process.cjs')],
      env: { ...inherited(), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.ended = once(this.child, 'exit').then(() => this.tell());
    this.child.stderr?.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-4_000)));
    if (this.child.stdout !== null) createInterface(this.child.stdout).on('line', (line) => this.read(line));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has said on standard error, and its last warnings. */
  get complaints(): string {
    const warnings = this.lines.filter(({ level }) => Number(level) >= 40 || level === 'warn' || level === 'error').slice(-5);
    return [this.errors, ...warnings.map((line) => JSON.stringify(line))].join('\n');
  }

  /** Resolves with the first line that the service logs, or has logged, with this event and these fields. */
  async logged(event: string, fields: Readonly<Record<string, unknown>> = {}, limitMs = 20_000): Promise<LogLine> {
    const find = (): LogLine | undefined =>
      this.lines.find((line) => line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value));
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const look = (): void => {
      const found = find();
      if (found !== undefined) resolve(found);
      else if (this.hasEnded) reject(new Error(`${this.app} ended before it logged ${event}\n${this.complaints}`));
    };
    const timer = setTimeout(() => reject(new Error(`${this.app} did not log ${event}\n${this.complaints}`)), limitMs);
    this.listeners.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.listeners.delete(look);
    });
  }

  /** The process dies at this point when it comes by. Resolves when that is arranged. */
  async crashAt(point: CrashPoint): Promise<void> {
    const answer = once(this.child, 'message');
    this.child.send(point);
    await answer;
  }

  /** Resolves when it has ended by itself; rejects when it goes on. */
  async ends(why: string, limitMs = 10_000): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`the ${this.app} did not end ${why}`)), limitMs);
    await Promise.race([this.ended, late.promise]).finally(() => clearTimeout(timer));
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.hasEnded) this.child.kill(signal);
    await this.ended;
  }

  private read(line: string): void {
    const entry = logLine(line);
    if (entry !== undefined) this.lines.push(entry);
    else this.errors += `${line}\n`;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** `undefined`: something else, or a line that was cut off when the service was killed. */
const logLine = (line: string): LogLine | undefined => {
  try {
    return line.startsWith('{') ? (JSON.parse(line) as LogLine) : undefined;
  } catch {
    return undefined;
  }
};

/** Nothing of the machine's own settings gets into a service under test. */
const inherited = (): NodeJS.ProcessEnv => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FOLDWORK_') && name !== 'NODE_OPTIONS'));
