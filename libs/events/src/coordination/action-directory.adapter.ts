import type { Pool } from 'pg';
import { storeQuery } from './store-query';

/** What is known of an action, as the executor that has it says. */
export interface ActionEntry {
  readonly name: string;
  readonly effect: 'none' | 'idempotent' | 'keyed' | 'once';
  /** JSON Schema of its input, as text. */
  readonly inputSchema?: string;
  /** It can say itself whether its effect took place. */
  readonly verify: boolean;
}

/** Rows are locked in the order of their names, or two executors that start together could wait for each other. */
const PUBLISH = `
  INSERT INTO public.actions (name, effect, input_schema, verify)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
  ORDER BY 1
  ON CONFLICT (name) DO UPDATE SET effect = excluded.effect, input_schema = excluded.input_schema, verify = excluded.verify, seen_at = now()`;

const LIST = 'SELECT name, effect, input_schema, verify FROM public.actions ORDER BY name';

interface Row {
  readonly name: string;
  readonly effect: ActionEntry['effect'];
  readonly input_schema: string | null;
  readonly verify: boolean;
}

/** The actions that executors have registered: what definitions are checked against. */
export class ActionDirectory {
  constructor(private readonly pool: Pool) {}

  async publish(actions: readonly ActionEntry[]): Promise<void> {
    const columns = [actions.map(({ name }) => name), actions.map(({ effect }) => effect), actions.map(({ inputSchema }) => inputSchema ?? null), actions.map(({ verify }) => verify)];
    await storeQuery(this.pool, 'actions_publish', PUBLISH, columns);
  }

  async list(): Promise<ActionEntry[]> {
    const rows = await storeQuery<Row & { [column: string]: unknown }>(this.pool, 'actions_list', LIST, []);
    return rows.map(({ name, effect, verify, input_schema }) => ({ name, effect, verify, ...(input_schema !== null && { inputSchema: input_schema }) }));
  }
}
