import { LRUCache } from 'lru-cache';
import type { Agenda, AgendaEntry, RunId } from '@foldwork/events';
import { shardOf } from './shard-share';

export interface Appointment {
  readonly wakeAt?: number;
  readonly inFlight: boolean;
  readonly awaits?: readonly string[];
  readonly inLane?: boolean;
}

/** Rows are remembered to spare statements; what is forgotten is written or removed once more than needed. */
const REMEMBERED_MAX = 100_000;

/**
 * Gathers what changed in the agenda and writes it in one statement at a time. A run that begins and ends between two
 * writes never touches the table. Invariants:
 *  1. the saved position is never ahead of the saved appointments;
 *  2. a row is taken for absent only if nobody can have written one: its run began under this writer's eyes.
 */
export class AgendaWriter {
  private changes = new Map<RunId, Appointment | 'removed'>();
  private readonly rows = new LRUCache<RunId, Appointment | 'absent'>({ max: REMEMBERED_MAX });
  private foreignUntil = Infinity;
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

  /** Up to this position of the log others may have written rows of these shards. */
  othersWroteUntil(position: number): void {
    this.foreignUntil = position;
  }

  /** A run was requested at this position of the log. */
  opened(runId: RunId, position: number): void {
    if (position > this.foreignUntil && !this.rows.has(runId)) this.rows.set(runId, 'absent');
  }

  set(runId: RunId, appointment: Appointment): void {
    const row = this.rows.get(runId);
    if (row !== undefined && row !== 'absent' && isSame(row, appointment)) this.changes.delete(runId);
    else this.changes.set(runId, appointment);
  }

  remove(runId: RunId): void {
    if (this.rows.get(runId) === 'absent') this.changes.delete(runId);
    else this.changes.set(runId, 'removed');
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
    for (const runId of changes.keys()) this.rows.delete(runId); // unknown until the statement is through
    try {
      await this.agenda.save({ ...rowsOf(changes), shards, position });
      this.savedPosition = position;
      for (const [runId, change] of changes) if (change !== 'removed') this.rows.set(runId, change);
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
