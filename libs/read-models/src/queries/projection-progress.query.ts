import type { SqlClient } from './sql-client';

/** The log subscription whose checkpoint moves with the read models. */
export const PROJECTION = 'auditor';

export interface ProjectionProgress {
  /** Position of the last event that the read models contain. */
  readonly position: number;
  /** Position of the newest event of the log. */
  readonly head: number;
}

export const projectionProgress = async (client: SqlClient): Promise<ProjectionProgress> => {
  const { rows } = await client.query<{ position: string | null; head: string | null }>({
    name: 'projection-progress',
    text: `SELECT (SELECT position FROM public.checkpoints WHERE name = $1) AS position,
      (SELECT position FROM public.events ORDER BY position DESC LIMIT 1) AS head`,
    values: [PROJECTION],
  });
  return { position: Number(rows[0]?.position ?? 0), head: Number(rows[0]?.head ?? 0) };
};
