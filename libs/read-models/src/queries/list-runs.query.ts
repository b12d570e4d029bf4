import type { RunStatus } from '../run-status';
import { formatPageCursor, type PageCursor } from './page-cursor';
import { RUN_ROW_COLUMNS, runSummary, type RunRow, type RunSummary } from './run-summary';
import type { SqlClient } from './sql-client';

export interface RunFilter {
  readonly namespace: string;
  readonly status?: RunStatus;
  readonly workflow?: string;
  readonly service?: string;
  /** Part of the workflow's name, the input's text or the error, or a whole run id; capitals do not count. */
  readonly search?: string;
  /** Requested at or after, milliseconds since 1970. */
  readonly from?: number;
  /** Requested before. */
  readonly to?: number;
  /** 1 or more. */
  readonly limit: number;
  readonly cursor?: PageCursor;
  readonly offset?: number;
}

export interface RunPage {
  readonly runs: RunSummary[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Newest first. */
export const listRuns = async (client: SqlClient, filter: RunFilter): Promise<RunPage> => {
  const { conditions, values } = where(filter);
  const { rows } = await client.query<RunRow>({
    text: `SELECT ${RUN_ROW_COLUMNS} FROM read_models.runs WHERE ${conditions.join(' AND ')}
      ORDER BY requested_at DESC, run_id DESC LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
    values: [...values, filter.limit + 1, filter.offset ?? 0],
  });
  const runs = rows.slice(0, filter.limit).map(runSummary);
  const last = runs.at(-1);
  return rows.length > filter.limit && last !== undefined ? { runs, nextCursor: formatPageCursor(last) } : { runs };
};

/** Conditions are texts of this file; everything that comes from outside is a parameter. */
const where = (filter: RunFilter): { conditions: string[]; values: unknown[] } => {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((namespace) => `namespace = ${namespace}`, filter.namespace);
  add((status) => `status = ${status}`, filter.status);
  // Repeats what the partial index says, so that the planner can see that the index covers the filter.
  if (filter.status !== undefined && filter.status !== 'succeeded') conditions.push(`status <> 'succeeded'`);
  add((workflow) => `workflow = ${workflow}`, filter.workflow);
  add((service) => `service = ${service}`, filter.service);
  add((from) => `requested_at >= to_timestamp(${from}::float8 / 1000)`, filter.from);
  add((to) => `requested_at < to_timestamp(${to}::float8 / 1000)`, filter.to);
  add(matches, filter.search === undefined ? undefined : `%${filter.search.replace(/[\\%_]/g, '\\$&')}%`);
  add((cursor) => `(requested_at, run_id) < (to_timestamp((${cursor}::text[])[1]::float8 / 1000), (${cursor}::text[])[2]::uuid)`,
    filter.cursor && [String(filter.cursor.requestedAt), filter.cursor.runId]);
  return { conditions, values };
};

const matches = (pattern: string): string =>
  `(workflow ILIKE ${pattern} OR input_excerpt ILIKE ${pattern} OR error_code ILIKE ${pattern} OR error_message ILIKE ${pattern}
    OR 'run_' || run_id::text ILIKE ${pattern})`;
