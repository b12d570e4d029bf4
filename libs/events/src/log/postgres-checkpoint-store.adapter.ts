import type { Pool } from 'pg';
import type { CheckpointStore } from './checkpoint-store.port';
import { toLogUnavailable } from './postgres-failure';

const LOAD = 'SELECT c.position FROM public.checkpoints c JOIN public.log_meta m ON m.epoch = c.epoch WHERE c.name = $1';

/** A checkpoint of an older epoch is overwritten, whatever its position: the log it counted is gone. */
const SAVE = `INSERT INTO public.checkpoints AS c (name, position, epoch)
  SELECT $1, $2::bigint, m.epoch FROM public.log_meta m
  ON CONFLICT (name) DO UPDATE SET position = excluded.position, epoch = excluded.epoch, updated_at = now()
  WHERE c.position < excluded.position OR c.epoch <> excluded.epoch`;

const CLEAR = 'DELETE FROM public.checkpoints WHERE name = $1';

/** The pool belongs to the caller. */
export class PostgresCheckpointStore implements CheckpointStore {
  constructor(private readonly pool: Pool) {}

  async load(name: string): Promise<number> {
    const rows = await this.query('checkpoint_load', LOAD, [name]);
    return Number(rows[0]?.position ?? 0);
  }

  async save(name: string, position: number): Promise<void> {
    await this.query('checkpoint_save', SAVE, [name, position]);
  }

  async clear(name: string): Promise<void> {
    await this.query('checkpoint_clear', CLEAR, [name]);
  }

  private async query(name: string, text: string, values: unknown[]): Promise<{ position: string }[]> {
    try {
      return (await this.pool.query<{ position: string }>({ name, text, values })).rows;
    } catch (error) {
      throw toLogUnavailable(error);
    }
  }
}
