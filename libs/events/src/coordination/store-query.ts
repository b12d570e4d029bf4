import type { Pool, QueryResultRow } from 'pg';
import { toLogUnavailable } from '../log/postgres-failure';

/** One prepared statement; trouble of the store becomes `LogUnavailable`. */
export const storeQuery = async <R extends QueryResultRow>(pool: Pool, name: string, text: string, values: unknown[]): Promise<R[]> => {
  try {
    return (await pool.query<R>({ name, text, values })).rows;
  } catch (error) {
    throw toLogUnavailable(error);
  }
};
