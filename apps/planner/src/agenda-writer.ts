import { LRUCache } from 'lru-cache';
import type { Agenda, AgendaEntry, RunId } from '@foldwork/events';
import { Clock } from '@foldwork/platform';
import { shardOf } from './shard-share';

export interface Appointment {
  readonly wakeAt?: number;
  readonly inFlight: boolean;
  readonly awaits?: readonly string[];
  readonly inLane?: boolean;
}

/** Rows are remembered to spare statements; what is forgotten is written or removed once more than needed. */
const REMEMBERED_MAX = 100_000;
const DUE_ROWS_MAX = 5_000;

/**
 * Gathers what changed in the agenda and writes it in one statement at a time. A run that begins and ends between two
 * writes never touches the table. Invariants:
 *  1. the saved position is never ahead of the saved appointments;
 *  2. a row is taken for absent only if nobody can have written one: its run began under this writer's eyes;
 *  3. a row of a shard that another planner has claimed meanwhile is not written: it would be news from before.
 */
export class AgendaWriter {
  private changes = new Map<RunId, Appointment | 'removed'>();
  private readonly rows = new LRUCache<RunId, Appointment | 'absent'>({ max: REMEMBERED_MAX });
  private foreignUntil = Infinity;
  private savedPosition = -1;
  private clock: Clock | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly agenda: Agenda,
    private readonly state: () => { shards: readonly number[]; position: number },
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  start(intervalMs: number): void {
    this.clock = new Clock(intervalMs, () => this.flush(), this.onTrouble);
  }

  /** Up to this position of the log others may have written rows of these shards. */
  othersWroteUntil(position: number): void {
    this.foreignUntil = position;
  }

  mayBeForeign(position: number): boolean {
    return position <= this.foreignUntil;
  }

  /** Others wrote rows, or will: what is remembered of them says nothing, and rows of runs that are not ours are theirs to write. */
  release(isOurs: (runId: RunId) => boolean): void {
    this.rows.clear();
    for (const runId of this.changes.keys()) if (!isOurs(runId)) this.changes.delete(runId);
  }

  /** A run was requested at this position of the log. */
  opened(runId: RunId, position: number): void {
    if (!this.mayBeForeign(position) && !this.rows.has(runId)) this.rows.set(runId, 'absent');
  }

  /** Rows that are due before the time. Those that are not as they are remembered were written by others. */
  async due(shards: readonly number[], beforeMs: number): Promise<readonly { readonly runId: RunId; readonly wakeAt: number }[]> {
    const due = await this.agenda.due(shards, beforeMs, DUE_ROWS_MAX);
    for (const { runId, wakeAt } of due) {
      const row = this.rows.get(runId);
      if (row === 'absent' || row?.wakeAt !== wakeAt) this.rows.delete(runId);
    }
    return due;
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

  /** Rejects when it could not be written; it is not lost by that. */
  flush(): Promise<void> {
    return this.inTurn(() => this.write());
  }

  /** Nothing is written while this is done. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.writing.then(work);
    this.writing = done.then(noop, noop); // whoever asked is told
    return done;
  }

  async stop(): Promise<void> {
    await this.clock?.stop();
    await this.flush().catch(this.onTrouble);
  }

  private async write(): Promise<void> {
    const { shards, position } = this.state();
    const { changes } = this;
    if (changes.size === 0 && position === this.savedPosition) return;
    this.changes = new Map();
    for (const runId of changes.keys()) this.rows.delete(runId); // unknown until the statement is through
    try {
      const held = await this.agenda.save({ ...rowsOf(changes), shards, position });
      this.savedPosition = position;
      for (const [runId, change] of changes) if (change !== 'removed' && held.includes(shardOf(runId))) this.rows.set(runId, change);
    } catch (error) {
      for (const [runId, change] of changes) if (!this.changes.has(runId)) this.changes.set(runId, change);
      throw error;
    }
  }
}

const noop = (): void => undefined;

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
