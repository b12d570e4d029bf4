import type { World } from '../world/world';

export interface StatementTime {
  readonly statement: string;
  readonly calls: number;
  readonly rows: number;
  readonly totalMs: number;
}

const LONGEST = 90;

/** Time per statement of Postgres while `work` runs, most first. Of functions, what they call is part of them. */
export const profileStatements = async ({ database }: World, work: () => Promise<unknown>): Promise<StatementTime[]> => {
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await database.query('SELECT pg_stat_statements_reset()');
  await work();
  const { rows } = await database.query<{ query: string; calls: string; rows: string; total_exec_time: number; total_plan_time: number }>(
    'SELECT query, calls, rows, total_exec_time, total_plan_time FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 20');
  return rows.map((row) => ({
    statement: row.query.replace(/\s+/g, ' ').slice(0, LONGEST),
    calls: Number(row.calls), rows: Number(row.rows), totalMs: row.total_exec_time + row.total_plan_time,
  }));
};
