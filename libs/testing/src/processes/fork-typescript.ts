import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** Runs a TypeScript file of the workspace as a process of its own, with a channel for messages. */
export const forkTypeScript = (file: string, args: readonly string[] = []): ChildProcess =>
  fork(file, args, { execArgv: ['-r', join(__dirname, 'typescript-hook.cjs')], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
