import type { EventType, RecordedEvent, RunId, TaskPath } from '../contracts';
import type { Statement } from './rows-query';

/** Values as Postgres wrote them, in the order of `COLUMNS`. */
export type EventRow = [
  position: string, recordedAt: string, runId: string, task: string, version: string, type: string,
  schemaVersion: string, namespace: string, decide: string, hash: string, metadata: string, data: string,
];

/** Milliseconds by way of a double: exact to the microsecond until the year 2250, and a third of the price of `extract`. */
const COLUMNS = `position, floor(date_part('epoch', recorded_at) * 1000), run_id, task, version, type, schema_version,
  namespace, decide, encode(hash, 'hex'), metadata, data`;

const AFTER = `SELECT ${COLUMNS} FROM public.events WHERE position > $1 ORDER BY position LIMIT $2`;
/** The fence keeps the planner of Postgres from walking the whole log by position, which it takes for cheap on young tables. */
const OF_RUNS = `SELECT ${COLUMNS} FROM (SELECT * FROM public.events WHERE run_id = ANY($1::uuid[]) OFFSET 0) AS event
  WHERE position > $2 ORDER BY position`;
const LAST = `SELECT ${COLUMNS} FROM public.events WHERE run_id = $1 AND task = $2 ORDER BY version DESC LIMIT 1`;

const PUBLICATIONS = `SELECT ${COLUMNS} FROM public.events WHERE type = 'WorkflowPublished' ORDER BY position`;

export const eventsAfter = (after: number, limit: number): Statement => ({ name: 'events_after', text: AFTER, values: [String(after), String(limit)] });
/** Ids of runs need no quoting in an array. */
export const eventsOfRuns = (runIds: readonly RunId[], after: number): Statement => ({ name: 'events_of_runs', text: OF_RUNS, values: [`{${runIds.join()}}`, String(after)] });
export const lastEventOf = (runId: RunId, task: string): Statement => ({ name: 'last_event_of', text: LAST, values: [runId, task] });
export const publications = (): Statement => ({ name: 'publications', text: PUBLICATIONS, values: [] });

/** Only what validated writers appended is in the table, hence the casts. */
export const toRecordedEvent = (row: EventRow): RecordedEvent => ({
  position: Number(row[0]),
  recordedAt: Number(row[1]),
  runId: row[2] as RunId,
  task: row[3] as TaskPath,
  version: Number(row[4]),
  type: row[5] as EventType,
  schemaVersion: Number(row[6]),
  namespace: row[7],
  decide: row[8] === 't',
  hash: row[9],
  metadata: row[10],
  data: row[11],
});
