import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * A child process that never outlives its parent, however the parent ends: a shell holds the child and reads a pipe
 * whose other end is ours. When we die the pipe closes, and the shell kills the child and removes its folder.
 */
export class GuardedServer {
  private constructor(private readonly shell: ChildProcess, readonly pid: number) {}

  static async start(command: readonly string[], folder: string): Promise<GuardedServer> {
    const shell = spawn('sh', ['-c', SCRIPT, 'guard', folder, ...command], { stdio: ['pipe', 'pipe', 'ignore'] });
    shell.unref();
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]; // the script's first act is to print the pid
    shell.stdout.destroy();
    return new GuardedServer(shell, Number(line.toString()));
  }

  /** Resolves when the process is gone. With `keep` its folder stays. */
  async end(signal: 'TERM' | 'KILL', keep: boolean): Promise<void> {
    if (this.shell.exitCode !== null) return;
    const exit = once(this.shell, 'exit');
    this.shell.ref();
    this.shell.stdin?.end(`${signal} ${keep ? 'keep' : 'remove'}\n`);
    await exit;
  }
}

const SCRIPT = [
  'folder=$1; shift',
  '"$@" </dev/null >/dev/null 2>&1 & child=$!',
  'echo $child',
  'read -r signal keep || signal=KILL',
  'kill -$signal $child 2>/dev/null',
  'wait $child 2>/dev/null',
  '[ "$keep" = keep ] || rm -rf "$folder"',
].join('\n');
