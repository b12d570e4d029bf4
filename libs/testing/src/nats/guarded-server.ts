import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface GuardedServer {
  readonly pid: number;
  /** Resolves when the process is gone. With `keep` its folder stays. */
  end(signal: 'TERM' | 'KILL', keep: boolean): Promise<void>;
}

/**
 * A child process that never outlives its parent, however the parent ends: a shell holds the child and reads a pipe
 * whose other end is ours. When we die the pipe closes, and the shell kills the child and removes its folder.
 */
export const startGuardedServer = async (command: readonly string[], folder: string): Promise<GuardedServer> => {
  const shell = spawn('sh', ['-c', SCRIPT, 'guard', folder, ...command], { stdio: ['pipe', 'pipe', 'ignore'] });
  shell.unref();
  const firstLine = new Promise<string>((resolve) => shell.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  const pid = Number(await firstLine);
  shell.stdout.destroy();
  return {
    pid,
    end: async (signal, keep) => {
      if (shell.exitCode !== null) return;
      const exit = once(shell, 'exit');
      shell.ref();
      shell.stdin.end(`${signal} ${keep ? 'keep' : 'remove'}\n`);
      await exit;
    },
  };
};

const SCRIPT = [
  'folder=$1; shift',
  '"$@" </dev/null >/dev/null 2>&1 & child=$!',
  'echo $child',
  'read -r signal keep || signal=KILL',
  'kill -$signal $child 2>/dev/null',
  'wait $child 2>/dev/null',
  '[ "$keep" = keep ] || rm -rf "$folder"',
].join('\n');
