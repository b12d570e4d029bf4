import { Client, type Pool } from 'pg';
import { createPostgresEventLog, EmbeddedBus, type Bus, type EventLog, type NewEvent } from '@foldwork/events';
import { ALL_MIGRATIONS, createLogger, createPool } from '@foldwork/platform';
import { createTestDatabase, syntheticRun, type SyntheticRun } from '@foldwork/testing';
import { Auditor } from '../src/auditor';
import { AUDITOR_SESSION, type AuditorSettings } from '../src/auditor.config';
import { rebuild } from '../src/rebuild/rebuild';

export const quiet = createLogger({ app: 'auditor-test', level: 'silent' });

/** A database of its own with a log in it, and auditors over it. */
export interface AuditorWorld {
  readonly url: string;
  readonly log: EventLog;
  readonly bus: Bus;
  readonly pool: Pool;
  /** Not started. Each has connections of its own. */
  auditor(settings?: Partial<AuditorSettings>, bus?: Bus, logger?: typeof quiet): Auditor;
  /** As superuser of the database. */
  owner<T>(work: (client: Client) => Promise<T>): Promise<T>;
  append(runs: readonly SyntheticRun[]): Promise<void>;
  close(): Promise<void>;
}

export const auditorWorld = async (): Promise<AuditorWorld> => {
  const database = await createTestDatabase({ migrations: ALL_MIGRATIONS });
  const { url } = database;
  const log = createPostgresEventLog({ connectionString: url });
  const bus = new EmbeddedBus();
  const makePool = (): Pool => createPool({ databaseUrl: url, maximum: 4, applicationName: 'auditor-test', session: AUDITOR_SESSION });
  const pools = [makePool()];
  return {
    url,
    log,
    bus,
    pool: pools[0]!,
    auditor: (settings = {}, ownBus = bus, logger = quiet) => {
      const pool = makePool();
      pools.push(pool);
      return new Auditor({ log, bus: ownBus, pool, logger, settings: { feed: false, anchors: { every: 1_000_000 }, ...settings } });
    },
    owner: async (work) => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return work(client).finally(() => client.end());
    },
    append: (runs) => appendInterleaved(log, runs),
    close: async () => {
      await Promise.all([log.close(), bus.close(), ...pools.map((pool) => pool.end())]);
      await database.drop();
    },
  };
};

const SESSION_OPTIONS = Object.entries(AUDITOR_SESSION).map(([name, value]) => `-c ${name}=${value}`).join(' ');

/** As the command does it. Resolves to the position up to which they were made. */
export const remakeReadModels = async ({ url, log }: AuditorWorld): Promise<number> => {
  const client = new Client({ connectionString: url, options: SESSION_OPTIONS });
  await client.connect();
  return rebuild({ log, client, logger: quiet }).finally(() => client.end());
};

/** First events of all runs, then second ones …: as a busy server would write them. */
const appendInterleaved = async (log: EventLog, runs: readonly SyntheticRun[]): Promise<void> => {
  const rounds = Math.max(...runs.map(({ appends }) => appends.length));
  for (let round = 0; round < rounds; round += 1) {
    const batch = runs.flatMap(({ appends }) => (appends[round] === undefined ? [] : [appends[round] as NewEvent[]]));
    await Promise.all(batch.map((events) => log.append(events)));
  }
};

export const mixedRuns = (count: number, at = 1_800_000_000_000): SyntheticRun[] =>
  Array.from({ length: count }, (_, index) =>
    syntheticRun({
      at: at + index,
      steps: 1 + (index % 5),
      workflow: `workflow-${index % 3}`,
      namespace: index % 4 === 0 ? 'other' : 'default',
      ending: (['succeeded', 'failed', 'escalated', 'canceled', 'open'] as const)[index % 5]!,
    }));

export const until = async (condition: () => boolean | Promise<boolean>, what: string, limitMs = 15_000): Promise<void> => {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

export const checkpointOf = async (pool: Pool, name: string): Promise<number> => {
  const { rows } = await pool.query<{ position: string }>('SELECT position FROM public.checkpoints WHERE name = $1', [name]);
  return Number(rows[0]?.position ?? 0);
};

/** All rows of the read models as text, ordered. */
export const readModelRows = async (pool: Pool): Promise<{ runs: unknown[]; workflows: unknown[] }> => ({
  runs: (await pool.query('SELECT * FROM read_models.runs ORDER BY run_id')).rows,
  workflows: (await pool.query('SELECT * FROM read_models.workflows ORDER BY namespace, name')).rows,
});
