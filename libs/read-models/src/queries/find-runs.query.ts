import type { RunId } from '@foldwork/events/contracts';
import { RUN_ROW_COLUMNS, runSummary, type RunRow, type RunSummary } from './run-summary';
import type { SqlClient } from './sql-client';

/** The summaries of these runs as far as they are in the namespace and projected, in no particular order. */
export const findRuns = async (client: SqlClient, namespace: string, runIds: readonly RunId[]): Promise<RunSummary[]> => {
  const { rows } = await client.query<RunRow>({
    name: 'find-runs',
    text: `SELECT ${RUN_ROW_COLUMNS} FROM read_models.runs WHERE run_id = ANY ($2::uuid[]) AND namespace = $1`,
    values: [namespace, runIds],
  });
  return rows.map(runSummary);
};
