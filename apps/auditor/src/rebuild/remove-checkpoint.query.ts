import type { SqlClient } from '@foldwork/read-models';

export const removeCheckpoint = async (client: SqlClient, name: string): Promise<void> => {
  await client.query({ text: 'DELETE FROM public.checkpoints WHERE name = $1', values: [name] });
};
