import type { Client } from 'pg';
import { childrenOf, cpuSeconds, memoryOf } from './process-usage';

/** CPU seconds by process, since the processes began or between two readings. */
export interface CpuUse {
  readonly totalSeconds: number;
  /** `gateway`, `planner`, … `nats`, `postgres`. */
  readonly byProcess: Readonly<Record<string, number>>;
  /** What `postgres` is made of: its connections by application, its background processes by kind. */
  readonly ofPostgres: Readonly<Record<string, number>>;
}

export interface MeteredProcesses {
  readonly named: () => ReadonlyMap<string, number>;
  readonly postmaster: () => number;
  readonly database: Client;
}

/** Applications whose connections belong to the measuring and not to what is measured. */
const MEASURING = /^bench/;
const SAMPLE_MS = 200;

export class UsageMeter {
  private peakMb = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly processes: MeteredProcesses) {
    this.timer = setInterval(() => this.sampleMemory(), SAMPLE_MS);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  async read(): Promise<CpuUse> {
    const ofPostgres = await this.readPostgres();
    const byProcess: Record<string, number> = {};
    for (const [name, pid] of this.processes.named()) byProcess[name] = cpuSeconds(pid);
    byProcess['postgres'] = sum(ofPostgres);
    return { totalSeconds: sum(byProcess), byProcess, ofPostgres };
  }

  /** Most memory at one moment: what each process has of its own, and the shared buffers once. In MB. */
  takePeakMb(): number {
    const peak = this.peakMb;
    this.peakMb = 0;
    return Math.round(peak);
  }

  /** The most that each of the named processes ever had resident, in MB. */
  peaksMb(): Record<string, number> {
    return Object.fromEntries([...this.processes.named()].map(([name, pid]) => [name, Math.round(memoryOf(pid).peakMb)]));
  }

  private async readPostgres(): Promise<Record<string, number>> {
    const { rows } = await this.processes.database.query<{ pid: number; name: string }>(
      `SELECT pid, coalesce(nullif(application_name, ''), backend_type) AS name FROM pg_stat_activity`);
    const names = new Map(rows.map(({ pid, name }) => [pid, name]));
    const use: Record<string, number> = { postmaster: cpuSeconds(this.processes.postmaster(), 'with ended children') };
    for (const pid of childrenOf(this.processes.postmaster())) {
      const name = names.get(pid) ?? 'other';
      if (!MEASURING.test(name)) use[name] = (use[name] ?? 0) + cpuSeconds(pid);
    }
    return use;
  }

  private sampleMemory(): void {
    const named = [...this.processes.named().values()].map(memoryOf);
    const postgres = childrenOf(this.processes.postmaster()).map(memoryOf);
    const own = [...named, ...postgres].reduce((total, { ownMb }) => total + ownMb, 0);
    const shared = Math.max(0, ...postgres.map(({ sharedMb }) => sharedMb));
    this.peakMb = Math.max(this.peakMb, own + shared);
  }
}

export const cpuBetween = (before: CpuUse, after: CpuUse): CpuUse => ({
  totalSeconds: after.totalSeconds - before.totalSeconds,
  byProcess: difference(before.byProcess, after.byProcess),
  ofPostgres: difference(before.ofPostgres, after.ofPostgres),
});

const difference = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

const sum = (use: Readonly<Record<string, number>>): number => Object.values(use).reduce((total, seconds) => total + seconds, 0);
