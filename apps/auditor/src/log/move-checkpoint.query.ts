import type { SqlClient } from '@foldwork/read-models';
import type { Checkpoint } from './open-checkpoint.query';

/** False, with nothing changed, when somebody else has moved the checkpoint meanwhile. */
export const moveCheckpoint = async (client: SqlClient, name: string, from: Checkpoint, to: number): Promise<boolean> => {
  const { rows } = await client.query<{ moved: number }>({
    name: 'move-checkpoint',
    text: `UPDATE public.checkpoints SET position = $3, updated_at = now()
      WHERE name = $1 AND position = $2 AND epoch = $4 RETURNING 1 AS moved`,
    values: [name, from.position, to, from.epoch],
  });
  return rows.length === 1;
};
