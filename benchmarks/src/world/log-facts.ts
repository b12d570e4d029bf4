import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world';

/** What the log itself says about the runs after a position. */
export const logHead = async ({ database }: World): Promise<number> => {
  const { rows } = await database.query<{ head: string }>('SELECT coalesce(max(position), 0) AS head FROM events');
  return Number(rows[0]?.head ?? 0);
};

export interface BatchFacts {
  readonly events: number;
  /** Events in one commit, on average. */
  readonly eventsPerCommit: number;
}

/** All events of a commit carry the same time. */
export const batchFacts = async ({ database }: World, after: number): Promise<BatchFacts> => {
  const { rows } = await database.query<{ events: string; commits: string }>(
    'SELECT count(*) AS events, count(DISTINCT recorded_at) AS commits FROM events WHERE position > $1', [after]);
  const [events, commits] = [Number(rows[0]?.events ?? 0), Number(rows[0]?.commits ?? 0)];
  return { events, eventsPerCommit: commits === 0 ? 0 : events / commits };
};

/** From the first `RunRequested` to the last event of the runs, by the database's clock, per run. In ms. */
export const runSpansMs = async ({ database }: World, after: number): Promise<number[]> => {
  const { rows } = await database.query<{ span: number }>(
    `SELECT date_part('epoch', max(recorded_at) FILTER (WHERE type = 'RunCompleted') - min(recorded_at)) * 1000 AS span
     FROM events WHERE position > $1 GROUP BY run_id HAVING bool_or(type = 'RunCompleted') ORDER BY run_id`, [after]);
  return rows.map(({ span }) => span);
};

/** Between one event of a step and the next, inside a run. In ms. */
export const stepGapsMs = async ({ database }: World, after: number): Promise<number[]> => {
  const { rows } = await database.query<{ gap: number }>(
    `SELECT gap FROM (SELECT type, date_part('epoch', recorded_at - lag(recorded_at) OVER (PARTITION BY run_id ORDER BY position)) * 1000 AS gap,
       lag(type) OVER (PARTITION BY run_id ORDER BY position) AS before FROM events WHERE position > $1) AS e
     WHERE type = 'TaskTransitioned' AND before = 'TaskTransitioned'`, [after]);
  return rows.map(({ gap }) => gap);
};

const CATCH_UP_LIMIT_MS = 120_000;

/** Resolves when the auditor's projections and its feed have everything, and the planner has nothing left to do. */
export const caughtUp = async (world: World): Promise<void> => {
  const head = await logHead(world);
  const deadline = performance.now() + CATCH_UP_LIMIT_MS;
  while (performance.now() < deadline) {
    const { rows } = await world.database.query<{ behind: string }>(
      `SELECT count(*) AS behind FROM checkpoints WHERE name IN ('auditor', 'feed') AND position < $1`, [head]);
    if (Number(rows[0]?.behind) === 0) return;
    await sleep(10);
  }
  throw new Error('the auditor did not catch up');
};
