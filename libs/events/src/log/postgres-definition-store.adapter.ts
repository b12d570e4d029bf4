import type { Pool } from 'pg';
import type { DefinitionStore } from './definition-store.port';
import { toLogUnavailable } from './postgres-failure';

const PUT = 'INSERT INTO public.definitions (namespace, hash, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
const GET = 'SELECT body FROM public.definitions WHERE namespace = $1 AND hash = $2';

/** The pool belongs to the caller. */
export class PostgresDefinitionStore implements DefinitionStore {
  constructor(private readonly pool: Pool) {}

  async put(namespace: string, hash: string, body: string): Promise<void> {
    await this.query('definition_put', PUT, [namespace, hash, body]);
  }

  async get(namespace: string, hash: string): Promise<string | undefined> {
    const [row] = await this.query('definition_get', GET, [namespace, hash]);
    return row?.body;
  }

  private async query(name: string, text: string, values: string[]): Promise<{ body: string }[]> {
    try {
      return (await this.pool.query<{ body: string }>({ name, text, values })).rows;
    } catch (error) {
      throw toLogUnavailable(error);
    }
  }
}
