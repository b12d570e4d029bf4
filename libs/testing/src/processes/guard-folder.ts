import { spawn } from 'node:child_process';

export interface GuardedFolder {
  /** Removed when the owner is gone. */
  readonly folder: string;
  /** Its first line is the pid of the server that lives in the folder; absent while none runs. */
  readonly pidFile: string;
  /** Process that the folder belongs to. */
  readonly ownerPid: number;
  /** How the server is told to end when its owner is gone. */
  readonly signal: 'SIGQUIT' | 'SIGTERM' | 'SIGKILL';
}

/**
 * Sees to it that a server and its folder do not outlive their owner, however the owner ends: a small process of its own
 * looks twice a second whether the owner is there. It leaves by itself when the folder is gone. Start it before the
 * server, so that there is no moment without it. Serves any server that writes a pid file; NATS has a guard of its own.
 */
export const guardFolder = (guarded: GuardedFolder): void => {
  const child = spawn(process.execPath, ['-e', SCRIPT, JSON.stringify(guarded)], { detached: true, stdio: 'ignore' });
  child.unref();
};

const SCRIPT = `
const { existsSync, readFileSync, rmSync } = require('node:fs');
const { folder, pidFile, ownerPid, signal } = JSON.parse(process.argv[1]);
const isAlive = (pid) => { try { process.kill(pid, 0); return true; } catch (error) { return error.code === 'EPERM'; } };
const serverPid = () => { try { return Number.parseInt(readFileSync(pidFile, 'utf8'), 10); } catch { return 0; } };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  while (isAlive(ownerPid)) { if (!existsSync(folder)) return; await pause(500); }
  const pid = serverPid();
  if (pid > 1) {
    try { process.kill(pid, signal); } catch {}
    for (let i = 0; i < 50 && isAlive(pid); i++) await pause(100);
    if (isAlive(pid)) try { process.kill(pid, 'SIGKILL'); } catch {}
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
})();
`;
