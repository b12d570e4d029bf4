import type { SqlClient } from '@foldwork/read-models';

export interface Checkpoint {
  readonly position: number;
  readonly epoch: string;
}

/** Where a subscription that has no checkpoint yet begins. */
export type FirstPosition = 'beginning' | 'head';

/**
 * The subscription's checkpoint in the present epoch, made when it does not exist. One of an earlier epoch is taken
 * over (a restore brings log and checkpoints back as they were together), but never beyond the log's newest event.
 */
export const openCheckpoint = async (client: SqlClient, name: string, first: FirstPosition): Promise<Checkpoint> => {
  const { rows } = await client.query<{ position: string; epoch: string }>({
    text: `
      WITH head AS (SELECT coalesce(max(position), 0) AS position FROM public.events)
      INSERT INTO public.checkpoints AS checkpoint (name, position, epoch)
      SELECT $1, CASE WHEN $2 THEN head.position ELSE 0 END, meta.epoch FROM public.log_meta meta, head
      ON CONFLICT (name) DO UPDATE SET
        epoch = excluded.epoch,
        position = CASE WHEN checkpoint.epoch = excluded.epoch THEN checkpoint.position
          ELSE least(checkpoint.position, (SELECT position FROM head)) END
      RETURNING position, epoch`,
    values: [name, first === 'head'],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('the log has no meta row');
  return { position: Number(row.position), epoch: row.epoch };
};
