import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU seconds of the whole machine since it started. */
export interface MachineLoad {
  readonly busySeconds: number;
  /** What the host gave to other machines although this one had work. */
  readonly stolenSeconds: number;
  /** Of this process: load generator and watch. */
  readonly benchSeconds: number;
}

export const machineLoad = (): MachineLoad => {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = fields;
  const { user: ownUser, system: ownSystem } = process.cpuUsage();
  return { busySeconds: (user + nice + system + interrupts + softInterrupts) / 100, stolenSeconds: stolen / 100, benchSeconds: (ownUser + ownSystem) / 1e6 };
};

/** What else ran on the machine meanwhile; much of it spoils a measurement. */
export const foreignSeconds = (before: MachineLoad, after: MachineLoad, meteredSeconds: number): number =>
  Math.max(0, after.busySeconds - before.busySeconds - (after.benchSeconds - before.benchSeconds) - meteredSeconds);

const BUSY_SHARE_MAX = 0.08;
const LOOK_MS = 1_500;

/** Resolves when the machine has next to nothing to do, or when it has been waited for long enough. */
export const quietMachine = async (waitSecondsMax: number): Promise<void> => {
  const deadline = performance.now() + waitSecondsMax * 1000;
  while (performance.now() < deadline) {
    const before = machineLoad();
    await sleep(LOOK_MS);
    const busy = (machineLoad().busySeconds - before.busySeconds) / (cpus().length * (LOOK_MS / 1000));
    if (busy <= BUSY_SHARE_MAX) return;
  }
};
