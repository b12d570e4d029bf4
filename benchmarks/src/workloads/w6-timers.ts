import type { RunId } from '@foldwork/events';
import { percentile, percentiles } from '../percentiles';
import type { World } from '../world/world';
import { SLEEP_MS } from '../workflows';

const TIMERS = 1_000;
const WARM_UP_TIMERS = 300;
const ROUNDS = 3;
const LEAD_MS = 4_000;

/** Lateness twice: by the time in the event, and by the end of the commit that made it durable. In ms. */
interface Lateness {
  readonly recorded: number;
  readonly durable: number;
}

/** 1,000 runs whose `wait` ends at one and the same moment, and 1,000 that `sleep` between two tasks. */
export const w6Timers = async (world: World): Promise<Record<string, unknown>> => {
  world.watch.setPace(25);
  await untilRound(world, WARM_UP_TIMERS);
  const waitRounds: Lateness[][] = [];
  const sleepRounds: Lateness[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    waitRounds.push(await untilRound(world, TIMERS));
    sleepRounds.push(await sleepRound(world));
  }
  world.watch.setPace(0);
  const [waits, sleeps] = [middle(waitRounds), middle(sleepRounds)];
  return {
    timers: TIMERS,
    allRounds: waitRounds.map((round) => percentiles('lateness', round.map(({ recorded }) => recorded))),
    allSleepRounds: sleepRounds.map((round) => percentiles('lateness', round.map(({ recorded }) => recorded))),
    ...percentiles('lateness', waits.map(({ recorded }) => recorded)),
    ...percentiles('durableLateness', waits.map(({ durable }) => durable)),
    ...percentiles('sleepLateness', sleeps.map(({ recorded }) => recorded)),
    ...percentiles('sleepDurableLateness', sleeps.map(({ durable }) => durable)),
  };
};

/** The round whose slowest timers are neither the best nor the worst. */
const middle = (rounds: readonly Lateness[][]): Lateness[] => {
  const worst = (round: readonly Lateness[]): number => percentile(round.map(({ recorded }) => recorded), 0.99);
  return [...rounds].sort((a, b) => worst(a) - worst(b))[rounds.length >> 1] ?? [];
};

const TIMES = `date_part('epoch', e.recorded_at) * 1000 AS recorded, date_part('epoch', pg_xact_commit_timestamp(e.xmin)) * 1000 AS durable`;

/** Of the event that ends the wait. */
const untilRound = async (world: World, timers: number): Promise<Lateness[]> => {
  const dueAt = Date.now() + LEAD_MS;
  const runIds = await finishAll(world, timers, 'bench.until', { at: new Date(dueAt).toISOString() });
  const { rows } = await world.database.query<Lateness>(
    `SELECT ${TIMES} FROM events e WHERE run_id = ANY($1::uuid[]) AND task = 'wait' AND data LIKE '%"to":"completed"%'`, [runIds]);
  if (rows.length !== timers) throw new Error(`${rows.length} of ${timers} timers fired`);
  return rows.map(({ recorded, durable }) => ({ recorded: recorded - dueAt, durable: durable - dueAt }));
};

/** Of the first event of the task after the pause: its claim by an executor, so a hop over the bus is part of it. */
const sleepRound = async (world: World): Promise<Lateness[]> => {
  const runIds = await finishAll(world, TIMERS, 'bench.sleep', {});
  const { rows } = await world.database.query<Lateness & { due: number }>(
    `SELECT ${TIMES}, (done.data::json ->> 'at')::double precision + ${SLEEP_MS} AS due
     FROM events done JOIN events e ON e.run_id = done.run_id AND e.task = 'after' AND e.version = 1
     WHERE done.run_id = ANY($1::uuid[]) AND done.task = 'before' AND done.data LIKE '%"to":"completed"%'`, [runIds]);
  return rows.map(({ recorded, durable, due }) => ({ recorded: recorded - due, durable: durable - due }));
};

const finishAll = async ({ client, watch }: World, runs: number, workflow: string, input: { at?: string }): Promise<RunId[]> => {
  const runIds = await Promise.all(Array.from({ length: runs }, () => client.submit(workflow, input)));
  await Promise.all(runIds.map((runId) => watch.completed(runId)));
  return runIds;
};
