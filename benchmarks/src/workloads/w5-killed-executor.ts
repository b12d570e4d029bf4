import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunId } from '@foldwork/events';
import { median, rounded } from '../percentiles';
import { logHead } from '../world/log-facts';
import type { App } from '../world/service';
import { World } from '../world/world';

const RUNS = 200;
const LEASE_MS = 10_000;
/** So that every run has an attempt under way at the kill. */
const CONCURRENCY = 200;

const ALL: readonly App[] = ['gateway', 'planner', 'executor', 'auditor'];

/**
 * SIGKILL to the executor with 200 runs in flight: it comes back under its name, or never and another one takes over; and
 * to all four services at once, which come back together.
 */
export const w5KilledExecutor = async (): Promise<Record<string, unknown>> => {
  const { rounds, all } = await inWorld(['executor'], async (world, executions) => {
    const round = (): Promise<KillFigures> => killRound(world, executions, ['executor'], ['executor']);
    return { rounds: [await round(), await round(), await round()], all: await killRound(world, executions, ALL, ALL) };
  });
  const gone = await inWorld(['executor', 'other'], (world, executions) => killRound(world, executions, ['executor'], []));
  const middle = rounds.find(({ doneMs }) => doneMs === median(rounds.map((round) => round.doneMs))) ?? gone;
  return {
    runs: RUNS,
    restartToDoneMs: middle.doneMs,
    restartToFirstStepMs: middle.firstStepMs,
    recordedRepeated: [...rounds, all, gone].reduce((sum, { recordedRepeated }) => sum + recordedRepeated, 0),
    inFlightRepeated: middle.inFlightRepeated,
    openAtKill: middle.openAtKill,
    stepsRecordedAtKill: middle.stepsRecordedAtKill,
    allRoundsMs: rounds.map(({ doneMs }) => doneMs),
    allFour: { restartToFirstStepMs: all.firstStepMs, restartToDoneMs: all.doneMs, inFlightRepeated: all.inFlightRepeated },
    neverBack: { leaseMs: LEASE_MS, killToDoneMs: gone.doneMs, overLeaseMs: rounded(gone.doneMs - LEASE_MS), openAtKill: gone.openAtKill, inFlightRepeated: gone.inFlightRepeated },
  };
};

interface KillFigures {
  /** From the spawn of the new process, or from the kill when there is none, until a client knew of the last end. */
  readonly doneMs: number;
  /** From the same moment to the first event of an executor. */
  readonly firstStepMs: number;
  readonly openAtKill: number;
  readonly stepsRecordedAtKill: number;
  /** Steps that ran again although their outcome was in the log at the kill. Must be 0. */
  readonly recordedRepeated: number;
  /** Steps whose attempt the kill cut off, and that ran again. */
  readonly inFlightRepeated: number;
}

const inWorld = async <T>(executors: readonly string[], work: (world: World, executions: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'foldwork-kill-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // told to stop in the middle
  const executions = join(folder, 'executions');
  const env = { FOLDWORK_BENCH_EXECUTIONS: executions, FOLDWORK_EXECUTOR_CONCURRENCY: String(CONCURRENCY), FOLDWORK_EXECUTOR_LEASE: `${LEASE_MS}ms` };
  const world = await World.start({ executors, env });
  try {
    await finish(world, await submit(world)); // warm
    return await work(world, executions);
  } finally {
    await world.close();
    remove();
  }
};

const killRound = async (world: World, executions: string, killed: readonly App[], comingBack: readonly App[]): Promise<KillFigures> => {
  const runIds = await submit(world);
  await Promise.all(killed.map((name) => world.service(name).kill()));
  const [recorded, head] = [await recordedSteps(world, runIds), await logHead(world)];
  const openAtKill = RUNS - (await completedRuns(world, runIds));
  const from = performance.now();
  await Promise.all(comingBack.map((app) => world.spawn(app)));
  const doneMs = rounded((await finish(world, runIds)) - from);
  const firstStepMs = rounded((await firstStepAt(world, head)) - performance.timeOrigin - from);
  return { doneMs, firstStepMs, openAtKill, stepsRecordedAtKill: recorded.size, ...repetitions(executions, runIds, recorded) };
};

/** Since 1970. */
const firstStepAt = async ({ database }: World, after: number): Promise<number> => {
  const { rows } = await database.query<{ at: number }>(
    `SELECT date_part('epoch', min(recorded_at)) * 1000 AS at FROM events WHERE position > $1 AND metadata LIKE '%executor:%'`, [after]);
  return rows[0]?.at ?? Number.NaN;
};

/** Returns when all are under way: each has at least one recorded step. */
const submit = async (world: World): Promise<RunId[]> => {
  const runIds = await Promise.all(Array.from({ length: RUNS }, () => world.client.submit('bench.pauses')));
  for (;;) {
    const runs = new Set([...(await recordedSteps(world, runIds))].map((step) => step.split(' ')[0]));
    if (runs.size === RUNS) return runIds;
    await sleep(5);
  }
};

/** Returns when the last of them was known to be completed. */
const finish = async ({ watch }: World, runIds: readonly RunId[]): Promise<number> => {
  const ended = await Promise.all(runIds.map((runId) => watch.completed(runId)));
  return Math.max(...ended.map(({ knownAt }) => knownAt));
};

/** `run task` of every completed step in the log. */
const recordedSteps = async ({ database }: World, runIds: readonly RunId[]): Promise<Set<string>> => {
  const { rows } = await database.query<{ step: string }>(
    `SELECT run_id || ' ' || task AS step FROM events WHERE run_id = ANY($1::uuid[]) AND task <> '' AND data LIKE '%"to":"completed"%'`, [runIds]);
  return new Set(rows.map(({ step }) => step));
};

const completedRuns = async ({ database }: World, runIds: readonly RunId[]): Promise<number> => {
  const { rows } = await database.query<{ count: string }>(
    `SELECT count(*) AS count FROM events WHERE run_id = ANY($1::uuid[]) AND type = 'RunCompleted'`, [runIds]);
  return Number(rows[0]?.count);
};

/** What the actions themselves wrote down, compared with what the log had at the kill. */
const repetitions = (executions: string, runIds: readonly RunId[], recorded: ReadonlySet<string>): Pick<KillFigures, 'recordedRepeated' | 'inFlightRepeated'> => {
  const ours = new Set<string>(runIds);
  const counts = new Map<string, number>();
  for (const line of readFileSync(executions, 'utf8').trim().split('\n')) {
    const [runId = '', task = ''] = line.replace(/^run_/, '').split(' ');
    if (ours.has(runId)) counts.set(`${runId} ${task}`, (counts.get(`${runId} ${task}`) ?? 0) + 1);
  }
  const repeated = [...counts].filter(([, count]) => count > 1).map(([step]) => step);
  const recordedRepeated = repeated.filter((step) => recorded.has(step)).length;
  return { recordedRepeated, inFlightRepeated: repeated.length - recordedRepeated };
};
