import type { SqlClient } from '@foldwork/read-models';

/** Subscriptions that have read further than the log now reaches. */
export const checkpointsBeyond = async (client: SqlClient, head: number): Promise<{ name: string; position: number }[]> => {
  const { rows } = await client.query<{ name: string; position: string }>({
    text: 'SELECT name, position FROM public.checkpoints WHERE position > $1 ORDER BY name',
    values: [head],
  });
  return rows.map(({ name, position }) => ({ name, position: Number(position) }));
};
