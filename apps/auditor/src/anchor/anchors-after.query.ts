import type { SqlClient } from '@foldwork/read-models';
import type { Anchor } from './rolling-root';

/** Anchors behind a position, in order. */
export const anchorsAfter = async (client: SqlClient, position: number): Promise<Anchor[]> => {
  const { rows } = await client.query<{ position: string; root: string }>({
    text: 'SELECT position, root FROM public.anchors WHERE position > $1 ORDER BY position',
    values: [position],
  });
  return rows.map((row) => ({ position: Number(row.position), root: row.root }));
};
