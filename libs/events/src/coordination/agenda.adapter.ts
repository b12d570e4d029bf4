import type { Pool } from 'pg';
import type { RunId } from '../contracts';
import { storeQuery } from './store-query';

/** An open run's appointment: the next moment at which it must be looked at, whatever happens. */
export interface AgendaEntry {
  readonly runId: RunId;
  readonly shard: number;
  /** Milliseconds since 1970; absent: only an event can move the run. */
  readonly wakeAt?: number;
  /** Commands are out, or executors hold attempts: whoever takes over looks at it at once. */
  readonly inFlight: boolean;
}

export interface AgendaChanges {
  readonly saved: readonly AgendaEntry[];
  readonly removed: readonly RunId[];
  /** Shards whose events are done with up to this position. */
  readonly shards: readonly number[];
  readonly position: number;
}

/** Rows and cursor in one statement: after a crash both are as they were at the same moment, at worst a little behind. */
const SAVE = `
  WITH gone AS (DELETE FROM public.agenda WHERE run_id = ANY ($5::uuid[])),
  kept AS (
    INSERT INTO public.agenda AS a (run_id, shard, wake_at, in_flight)
    SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::boolean[])
    ON CONFLICT (run_id) DO UPDATE SET wake_at = excluded.wake_at, in_flight = excluded.in_flight)
  INSERT INTO public.planner_shards AS s (shard, position, epoch)
  SELECT shard, $7::bigint, (SELECT epoch FROM public.log_meta) FROM unnest($6::smallint[]) AS shard
  ON CONFLICT (shard) DO UPDATE SET position = excluded.position, epoch = excluded.epoch
  WHERE s.position < excluded.position OR s.epoch <> excluded.epoch`;

const DUE = `SELECT run_id, wake_at FROM public.agenda
  WHERE wake_at <= $2::bigint AND shard = ANY ($1::smallint[]) ORDER BY wake_at LIMIT $3`;

const IN_FLIGHT = 'SELECT run_id FROM public.agenda WHERE in_flight AND shard = ANY ($1::smallint[])';

const POSITIONS = `SELECT s.shard, s.position FROM public.planner_shards s JOIN public.log_meta m ON m.epoch = s.epoch
  WHERE s.shard = ANY ($1::smallint[])`;

/** The agenda in Postgres. The pool belongs to the caller and should have `synchronous_commit = off`. */
export class Agenda {
  constructor(private readonly pool: Pool) {}

  async save({ saved, removed, shards, position }: AgendaChanges): Promise<void> {
    const columns = [saved.map((entry) => entry.runId), saved.map(({ shard }) => shard), saved.map(({ wakeAt }) => wakeAt ?? null), saved.map(({ inFlight }) => inFlight)];
    await storeQuery(this.pool, 'agenda_save', SAVE, [...columns, removed, shards, position]);
  }

  /** Runs of these shards that are due before the time, earliest first. */
  async due(shards: readonly number[], beforeMs: number, limit: number): Promise<{ runId: RunId; wakeAt: number }[]> {
    const rows = await storeQuery<{ run_id: RunId; wake_at: string }>(this.pool, 'agenda_due', DUE, [shards, Math.floor(beforeMs), limit]);
    return rows.map((row) => ({ runId: row.run_id, wakeAt: Number(row.wake_at) }));
  }

  async inFlight(shards: readonly number[]): Promise<RunId[]> {
    const rows = await storeQuery<{ run_id: RunId }>(this.pool, 'agenda_in_flight', IN_FLIGHT, [shards]);
    return rows.map((row) => row.run_id);
  }

  /** The position from which a planner that takes these shards over must read; 0 for one that nobody had before. */
  async position(shards: readonly number[]): Promise<number> {
    const rows = await storeQuery<{ position: string }>(this.pool, 'agenda_positions', POSITIONS, [shards]);
    return rows.length < shards.length ? 0 : Math.min(...rows.map((row) => Number(row.position)));
  }
}
