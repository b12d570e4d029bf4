import { taskTypes } from '@foldwork/domain';
import { toLogUnavailable } from '@foldwork/events';
import { LRUCache } from 'lru-cache';

export interface VersionsClient {
  query<Row>(statement: { readonly text: string; readonly values: unknown[] }): Promise<{ readonly rows: Row[] }>;
}

const LIST = 'SELECT type, version FROM public.task_type_versions WHERE namespace = $1';

const CHOOSE = `
  INSERT INTO public.task_type_versions (namespace, type, version, actor) VALUES ($1, $2, $3, $4)
  ON CONFLICT (namespace, type) DO UPDATE SET version = excluded.version, actor = excluded.actor, changed_at = now()`;

/** How long another process may go on with the former choice; this one knows its own at once. */
const TTL_MS = 1_000;

/**
 * The choice per task type that new runs of a namespace begin with. Can be changed while everything runs. Its methods
 * reject with `LogUnavailable` when Postgres is away.
 */
export class TaskTypeVersionStore {
  private readonly known = new LRUCache<string, Promise<Readonly<Record<string, number>>>>({ max: 1_000, ttl: TTL_MS });

  constructor(private readonly client: VersionsClient) {}

  /** Versions by type; types that nobody chose a version for are absent. */
  of(namespace: string): Promise<Readonly<Record<string, number>>> {
    const known = this.known.get(namespace);
    if (known !== undefined) return known;
    const reading = this.read(namespace);
    this.known.set(namespace, reading);
    reading.catch(() => this.known.delete(namespace));
    return reading;
  }

  /**
   * What a new run's `RunRequested.orchestrators` says; absent: version 1 of everything. A version that was chosen before
   * the code went back to an earlier release is not there any more, and left out.
   */
  async ofNewRun(namespace: string): Promise<{ readonly orchestrators?: { [type: string]: number } }> {
    const isPresent = ([type, version]: [string, number]): boolean => taskTypes.isRegistered(type) && taskTypes.versionsOf(type).includes(version);
    const orchestrators = taskTypes.versionsFor(Object.fromEntries(Object.entries(await this.of(namespace)).filter(isPresent)));
    return Object.keys(orchestrators).length === 0 ? {} : { orchestrators };
  }

  async choose(namespace: string, choice: { readonly type: string; readonly version: number; readonly actor: string }): Promise<void> {
    await this.query(CHOOSE, [namespace, choice.type, choice.version, choice.actor]);
    this.known.delete(namespace);
  }

  private async read(namespace: string): Promise<Readonly<Record<string, number>>> {
    const rows = await this.query<{ type: string; version: number }>(LIST, [namespace]);
    return Object.fromEntries(rows.map(({ type, version }) => [type, version]));
  }

  private async query<Row>(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.client.query<Row>({ text, values })).rows;
    } catch (error) {
      throw toLogUnavailable(error);
    }
  }
}
