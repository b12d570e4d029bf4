import type { SqlClient } from './sql-client';

/** Runs that are neither finished nor failed, over all namespaces. */
export const countOpenRuns = async (client: SqlClient): Promise<number> => {
  const { rows } = await client.query<{ open: string }>({
    name: 'count-open-runs',
    // The first condition lets the partial index answer.
    text: `SELECT count(*) AS open FROM read_models.runs
      WHERE status <> 'succeeded' AND status IN ('pending', 'running', 'awaiting_approval')`,
    values: [],
  });
  return Number(rows[0]?.open ?? 0);
};
