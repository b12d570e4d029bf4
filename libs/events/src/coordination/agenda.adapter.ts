import { hash, randomUUID } from 'node:crypto';
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
  /** Signals that its tasks wait for, as `awaitedKey` makes them. */
  readonly awaits?: readonly string[];
  readonly inLane?: boolean;
}

/** Between the keys of a row. */
const SEPARATOR = '\u001F';
/** An index refuses values of some kilobytes, and with the one row all that are saved beside it. */
const KEY_LENGTH_MAX = 500;

/**
 * What a wait is found by. A wait without a correlation id takes signals with any. Correlation ids come from inputs, so they
 * may hold anything and be of any length.
 */
export const awaitedKey = (namespace: string, signal: string, correlationId = ''): string => {
  const key = `${namespace}\n${signal}\n${correlationId}`;
  return key.length > KEY_LENGTH_MAX || key.includes(SEPARATOR) ? hash('sha256', key) : key;
};

export interface AgendaChanges {
  readonly saved: readonly AgendaEntry[];
  readonly removed: readonly RunId[];
  /** Shards whose events are done with up to this position. */
  readonly shards: readonly number[];
  readonly position: number;
}

/** A shard that nobody had is read from the beginning. Locks come in the order of shards here and in `SAVE`. */
const CLAIM = `
  INSERT INTO public.planner_shards AS s (shard, position, epoch, holder)
  SELECT shard, 0, (SELECT epoch FROM public.log_meta), $2::uuid FROM unnest($1::smallint[]) AS shard ORDER BY shard
  ON CONFLICT (shard) DO UPDATE SET holder = excluded.holder WHERE s.holder IS DISTINCT FROM excluded.holder
  RETURNING s.shard`;

/**
 * Rows and cursor in one statement: after a crash both are as they were at the same moment, at worst a little behind. Only
 * of shards that are held, and a claim waits for it: whoever takes a shard over finds what was saved, and nothing comes later.
 */
const SAVE = `
  WITH held AS (SELECT shard FROM public.planner_shards WHERE holder = $10::uuid ORDER BY shard FOR NO KEY UPDATE),
  gone AS (DELETE FROM public.agenda WHERE run_id = ANY ($1::uuid[]) AND shard IN (SELECT shard FROM held)),
  kept AS (
    INSERT INTO public.agenda AS a (run_id, shard, wake_at, in_flight, in_lane, awaits)
    SELECT run_id, shard, wake_at, in_flight, in_lane, CASE WHEN awaits <> '' THEN string_to_array(awaits, chr(31)) END
    FROM unnest($4::uuid[], $5::smallint[], $6::bigint[], $7::boolean[], $8::boolean[], $9::text[])
      AS new (run_id, shard, wake_at, in_flight, in_lane, awaits)
    WHERE shard IN (SELECT shard FROM held)
    ON CONFLICT (run_id) DO UPDATE SET wake_at = excluded.wake_at, in_flight = excluded.in_flight, in_lane = excluded.in_lane, awaits = excluded.awaits),
  moved AS (
    UPDATE public.planner_shards AS s SET position = $3::bigint, epoch = log.epoch FROM public.log_meta AS log
    WHERE s.shard = ANY ($2::smallint[]) AND s.shard IN (SELECT shard FROM held) AND (s.position < $3::bigint OR s.epoch <> log.epoch))
  SELECT shard FROM held`;

const DUE = `SELECT run_id, wake_at FROM public.agenda
  WHERE wake_at <= $2::bigint AND shard = ANY ($1::smallint[]) ORDER BY wake_at LIMIT $3`;

const IN_FLIGHT = 'SELECT run_id FROM public.agenda WHERE in_flight AND shard = ANY ($1::smallint[])';

const AWAITING = 'SELECT run_id FROM public.agenda WHERE awaits && $1::text[] AND shard = ANY ($2::smallint[])';

const IN_LANE = 'SELECT run_id FROM public.agenda WHERE in_lane';

const POSITIONS = `SELECT s.shard, s.position FROM public.planner_shards s JOIN public.log_meta m ON m.epoch = s.epoch
  WHERE s.shard = ANY ($1::smallint[])`;

/** The agenda in Postgres, for one planner. The pool belongs to the caller and should have `synchronous_commit = off`. */
export class Agenda {
  private readonly holder = randomUUID();

  constructor(private readonly pool: Pool) {}

  /** Takes these shards, whoever has them; returns those that it did not have. */
  async claim(shards: readonly number[]): Promise<number[]> {
    return shardsIn(await storeQuery(this.pool, 'agenda_claim', CLAIM, [shards, this.holder]));
  }

  /** Writes what belongs to shards that nobody else has claimed since; returns the shards that it has. */
  async save({ saved, removed, shards, position }: AgendaChanges): Promise<number[]> {
    const columns = [
      saved.map((entry) => entry.runId), saved.map(({ shard }) => shard), saved.map(({ wakeAt }) => wakeAt ?? null), saved.map(({ inFlight }) => inFlight),
      saved.map(({ inLane }) => inLane ?? false), saved.map(({ awaits }) => (awaits ?? []).join(SEPARATOR)),
    ];
    return shardsIn(await storeQuery(this.pool, 'agenda_save', SAVE, [removed, shards, position, ...columns, this.holder]));
  }

  /** Runs of these shards that are due before the time, earliest first. */
  async due(shards: readonly number[], beforeMs: number, limit: number): Promise<{ runId: RunId; wakeAt: number }[]> {
    const rows = await storeQuery<{ run_id: RunId; wake_at: string }>(this.pool, 'agenda_due', DUE, [shards, Math.floor(beforeMs), limit]);
    return rows.map((row) => ({ runId: row.run_id, wakeAt: Number(row.wake_at) }));
  }

  async inFlight(shards: readonly number[]): Promise<RunId[]> {
    return runIds(await storeQuery(this.pool, 'agenda_in_flight', IN_FLIGHT, [shards]));
  }

  /** Runs of these shards with a wait for one of the keys. */
  async awaiting(keys: readonly string[], shards: readonly number[]): Promise<RunId[]> {
    return runIds(await storeQuery(this.pool, 'agenda_awaiting', AWAITING, [keys, shards]));
  }

  /** All open runs that are in a lane or queue for one. */
  async inLanes(): Promise<RunId[]> {
    return runIds(await storeQuery(this.pool, 'agenda_in_lane', IN_LANE, []));
  }

  /** The position from which a planner that takes these shards over must read; 0 for one that nobody had before. */
  async position(shards: readonly number[]): Promise<number> {
    const rows = await storeQuery<{ position: string }>(this.pool, 'agenda_positions', POSITIONS, [shards]);
    return rows.length < shards.length ? 0 : Math.min(...rows.map((row) => Number(row.position)));
  }
}

const shardsIn = (rows: readonly { shard: number }[]): number[] => rows.map(({ shard }) => shard);

const runIds = (rows: readonly { run_id: RunId }[]): RunId[] => rows.map((row) => row.run_id);
