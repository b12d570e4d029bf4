import type { RunId } from '@foldwork/events';
import { percentiles } from '../percentiles';
import type { World } from '../world/world';

/** One run as its client saw it: `performance.now()` of sending, of the gateway's answer, of knowing of the end. */
export interface ClientTimes {
  readonly runId: RunId;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly knownAt: number;
}

interface LoggedTimes {
  readonly requested: number;
  readonly planned: number;
  readonly claimed: number;
  readonly lastStep: number;
  readonly completed: number;
}

type Phase = (client: ClientTimes, log: LoggedTimes) => number;

const PHASES: Readonly<Record<string, Phase>> = {
  sentToRequested: ({ sentAt }, { requested }) => requested - sinceEpoch(sentAt),
  requestedToAnswered: ({ answeredAt }, { requested }) => sinceEpoch(answeredAt) - requested,
  requestedToPlanned: (_, { requested, planned }) => planned - requested,
  plannedToClaimed: (_, { planned, claimed }) => claimed - planned,
  claimedToLastStep: (_, { claimed, lastStep }) => lastStep - claimed,
  lastStepToCompleted: (_, { lastStep, completed }) => completed - lastStep,
  completedToKnown: ({ knownAt }, { completed }) => sinceEpoch(knownAt) - completed,
};

/** Where the time of a run goes, in ms: each phase by the clock of the database, which is this machine's. */
export const phasesOf = async (world: World, runs: readonly ClientTimes[]): Promise<Record<string, Record<string, number>>> => {
  const logged = await loggedTimes(world, runs.map(({ runId }) => runId));
  const valuesOf = (phase: Phase): number[] =>
    runs.flatMap((run) => {
      const log = logged.get(run.runId);
      return log === undefined ? [] : [phase(run, log)];
    });
  return Object.fromEntries(Object.entries(PHASES).map(([name, phase]) => [name, percentiles('', valuesOf(phase))]));
};

const sinceEpoch = (at: number): number => performance.timeOrigin + at;

const LOGGED = `SELECT run_id, min(at) FILTER (WHERE type = 'RunRequested') AS requested, min(at) FILTER (WHERE type = 'RunPlanned') AS planned,
    min(at) FILTER (WHERE type = 'TaskTransitioned') AS claimed, max(at) FILTER (WHERE type = 'TaskTransitioned') AS "lastStep",
    max(at) FILTER (WHERE type = 'RunCompleted') AS completed
  FROM (SELECT run_id, type, date_part('epoch', recorded_at) * 1000 AS at FROM events WHERE run_id = ANY($1::uuid[])) AS e GROUP BY run_id`;

const loggedTimes = async ({ database }: World, runIds: readonly RunId[]): Promise<Map<string, LoggedTimes>> => {
  const { rows } = await database.query<LoggedTimes & { run_id: string }>(LOGGED, [runIds]);
  return new Map(rows.map((row) => [row.run_id, row]));
};
