import type { World } from '../world/world';

export interface StatementTime {
  readonly statement: string;
  readonly calls: number;
  readonly rows: number;
  readonly totalMs: number;
}

const START = 50;
const END = 110;

/** Its beginning and its end: the columns in between are much alike. */
const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= START + END ? line : `${line.slice(0, START)} … ${line.slice(-END)}`;
};

/** Time per statement of Postgres while `work` runs, most first. Of functions, what they call is part of them. */
export const profileStatements = async ({ database }: World, work: () => Promise<unknown>): Promise<StatementTime[]> => {
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await database.query('SELECT pg_stat_statements_reset()');
  await work();
  const { rows } = await database.query<{ query: string; calls: string; rows: string; total_exec_time: number; total_plan_time: number }>(
    'SELECT query, calls, rows, total_exec_time, total_plan_time FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 20');
  return rows.map((row) => ({
    statement: shortened(row.query),
    calls: Number(row.calls), rows: Number(row.rows), totalMs: row.total_exec_time + row.total_plan_time,
  }));
};
