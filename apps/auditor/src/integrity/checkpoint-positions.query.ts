import type { SqlClient } from '@foldwork/read-models';

/** How far each subscription has read. */
export const checkpointPositions = async (client: SqlClient): Promise<{ name: string; position: number }[]> => {
  const { rows } = await client.query<{ name: string; position: string }>({
    text: 'SELECT name, position FROM public.checkpoints ORDER BY name',
    values: [],
  });
  return rows.map(({ name, position }) => ({ name, position: Number(position) }));
};
