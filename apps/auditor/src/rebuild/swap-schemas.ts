import type { Client } from 'pg';
import type { Checkpoint } from '../log/open-checkpoint.query';
import { SHADOW_SCHEMA } from './shadow-schema';

/**
 * One transaction: holds writers of the live tables (readers go on), lets `catchUp` bring the shadow to the live
 * checkpoint, exchanges the names. A writer that waited finds the new tables, since names are looked up again after a
 * lock was waited for. Resolves to the position of both.
 */
export const swapSchemas = async (client: Client, name: string, catchUp: (live: number) => Promise<Checkpoint>): Promise<number> => {
  await client.query('BEGIN');
  try {
    await client.query('LOCK TABLE read_models.runs, read_models.workflows IN SHARE ROW EXCLUSIVE MODE');
    const { rows } = await client.query<{ position: string }>({
      text: 'SELECT position FROM public.checkpoints WHERE name = $1',
      values: [name],
    });
    const { position, epoch } = await catchUp(Number(rows[0]?.position ?? 0));
    await client.query({
      text: `INSERT INTO public.checkpoints (name, position, epoch) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position, epoch = excluded.epoch, updated_at = now()`,
      values: [name, position, epoch],
    });
    await client.query('ALTER SCHEMA read_models RENAME TO read_models_replaced');
    await client.query(`ALTER SCHEMA ${SHADOW_SCHEMA} RENAME TO read_models`);
    await client.query('COMMIT');
    return position;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the connection may be what failed
    throw error;
  }
};
