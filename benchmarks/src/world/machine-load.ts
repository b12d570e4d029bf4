import { readFileSync } from 'node:fs';

/** CPU seconds of the whole machine since it started. */
export interface MachineLoad {
  readonly busySeconds: number;
  /** Of this process: load generator and watch. */
  readonly benchSeconds: number;
}

export const machineLoad = (): MachineLoad => {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = fields;
  const { user: ownUser, system: ownSystem } = process.cpuUsage();
  return { busySeconds: (user + nice + system + interrupts + softInterrupts) / 100, benchSeconds: (ownUser + ownSystem) / 1e6 };
};

/** What else ran on the machine meanwhile; much of it spoils a measurement. */
export const foreignSeconds = (before: MachineLoad, after: MachineLoad, meteredSeconds: number): number =>
  Math.max(0, after.busySeconds - before.busySeconds - (after.benchSeconds - before.benchSeconds) - meteredSeconds);
