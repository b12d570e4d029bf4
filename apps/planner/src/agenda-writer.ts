import type { Agenda, AgendaEntry, RunId } from '@foldwork/events';
import { shardOf } from './shard-share';

export interface Appointment {
  readonly wakeAt?: number;
  readonly inFlight: boolean;
  readonly awaits?: readonly string[];
  readonly inLane?: boolean;
}

/**
 * Gathers what changed in the agenda and writes it in one statement at a time. A run that begins and ends between two
 * writes never touches the table. Invariant: the saved position is never ahead of the saved appointments.
 */
export class AgendaWriter {
  private changes = new Map<RunId, Appointment | 'removed'>();
  private readonly saved = new Map<RunId, Appointment>();
  private savedPosition = -1;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly agenda: Agenda,
    private readonly state: () => { shards: readonly number[]; position: number },
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  start(intervalMs: number): void {
    this.timer = setInterval(() => void this.flush(), intervalMs);
  }

  set(runId: RunId, appointment: Appointment): void {
    const known = this.saved.get(runId);
    if (known !== undefined && isSame(known, appointment)) this.changes.delete(runId);
    else this.changes.set(runId, appointment);
  }

  remove(runId: RunId): void {
    if (this.saved.has(runId)) this.changes.set(runId, 'removed');
    else this.changes.delete(runId);
  }

  /** A row that somebody else wrote: known to be there, so that it is removed when the run ends. */
  known(runId: RunId): void {
    if (!this.saved.has(runId)) this.saved.set(runId, { inFlight: true });
  }

  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async write(): Promise<void> {
    const { shards, position } = this.state();
    const { changes } = this;
    if (changes.size === 0 && position === this.savedPosition) return;
    this.changes = new Map();
    try {
      await this.agenda.save({ ...rowsOf(changes), shards, position });
      this.savedPosition = position;
      for (const [runId, change] of changes) if (change === 'removed') this.saved.delete(runId);
      else this.saved.set(runId, change);
    } catch (error) {
      for (const [runId, change] of changes) if (!this.changes.has(runId)) this.changes.set(runId, change);
      this.onTrouble(error);
    }
  }
}

const isSame = (a: Appointment, b: Appointment): boolean =>
  a.inFlight === b.inFlight && a.wakeAt === b.wakeAt && a.inLane === b.inLane && (a.awaits ?? []).join() === (b.awaits ?? []).join();

const rowsOf = (changes: ReadonlyMap<RunId, Appointment | 'removed'>): { saved: AgendaEntry[]; removed: RunId[] } => {
  const saved: AgendaEntry[] = [];
  const removed: RunId[] = [];
  for (const [runId, change] of changes) {
    if (change === 'removed') removed.push(runId);
    else saved.push({ runId, shard: shardOf(runId), ...change });
  }
  return { saved, removed };
};
