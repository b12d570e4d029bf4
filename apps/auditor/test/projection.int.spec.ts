import { DataSource } from 'typeorm';
import type { NewEvent } from '@foldwork/events';
import { createLogger } from '@foldwork/platform';
import { applyChanges, countOpenRuns, findRuns, listRuns, PROJECTION, projectionProgress, projectReadModels } from '@foldwork/read-models';
import { AnchorEntity, RunEntity, WorkflowEntity } from '@foldwork/read-models/entities';
import { syntheticRun } from '@foldwork/testing';
import { openCheckpoint } from '../src/log/open-checkpoint.query';
import { auditorWorld, checkpointOf, mixedRuns, readModelRows, until, type AuditorWorld } from './auditor-world';

let world: AuditorWorld;
beforeEach(async () => {
  world = await auditorWorld();
});
afterEach(() => world.close());

const projected = async (): Promise<void> => {
  const head = await world.log.head();
  await until(async () => (await checkpointOf(world.pool, PROJECTION)) === head, `projection of ${head} events`);
};

/** What the summaries must be, counted from the log by SQL that knows nothing of projections. */
const eventCounts = async (): Promise<Map<string, number>> =>
  new Map((await world.pool.query<{ run_id: string; n: string }>('SELECT run_id, count(*) AS n FROM events GROUP BY run_id')).rows.map((row) => [row.run_id, Number(row.n)]));

describe('the projection', () => {
  it('brings each event into the summaries and tells how far it is', async () => {
    const hints: number[] = [];
    world.bus.onHint('projected', (position) => void hints.push(Number(position)));
    const auditor = world.auditor();
    auditor.start();
    await world.append(mixedRuns(50));
    await projected();
    await auditor.stop();
    const head = await world.log.head();
    expect(await projectionProgress(world.pool)).toEqual({ position: head, head });
    expect(hints.at(-1)).toBe(head);
    expect(hints).toEqual([...hints].sort((left, right) => left - right));
    const { runs } = await listRuns(world.pool, { namespace: 'default', status: 'escalated', limit: 100 });
    expect(runs.every(({ error, status }) => status === 'escalated' && error?.code === 'TASK_ESCALATED')).toBe(true);
    expect(await countOpenRuns(world.pool)).toBe(10);
  });

  it('counts each event once with two auditors at once that are stopped and started over and over', async () => {
    const runs = mixedRuns(200);
    const writing = world.append(runs);
    let isWriting = true;
    void writing.then(() => (isWriting = false));
    while (isWriting) {
      const pair = [world.auditor(), world.auditor()];
      pair.forEach((auditor) => auditor.start());
      await new Promise((resolve) => setTimeout(resolve, 40));
      await Promise.all(pair.map((auditor) => auditor.stop()));
    }
    const last = [world.auditor(), world.auditor()];
    last.forEach((auditor) => auditor.start());
    await projected();
    await Promise.all(last.map((auditor) => auditor.stop()));
    const counts = await eventCounts();
    const rows = (await readModelRows(world.pool)).runs as { run_id: string; events: number; tasks_active: number; status: string }[];
    expect(rows).toHaveLength(runs.length);
    for (const row of rows) expect([row.run_id, row.events]).toEqual([row.run_id, counts.get(row.run_id)]);
    for (const row of rows) expect(row.tasks_active).toBe(row.status === 'running' ? 1 : 0);
  });

  it('leaves rows and checkpoint together where they were when its backend is killed, and goes on', async () => {
    const auditor = world.auditor();
    auditor.start();
    const writing = world.append(mixedRuns(150));
    let isWriting = true;
    void writing.then(() => (isWriting = false));
    let killed = 0;
    while (isWriting || killed === 0) {
      killed += await world.owner(async (client) =>
        (await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'foldwork-auditor-test' AND datname = current_database()`)).rowCount ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await projected();
    await auditor.stop();
    expect(killed).toBeGreaterThan(0);
    const counts = await eventCounts();
    for (const row of (await readModelRows(world.pool)).runs as { run_id: string; events: number }[]) expect(row.events).toBe(counts.get(row.run_id));
  });

  it('tells once of a type of events that only a newer release knows, and goes on', async () => {
    const warnings: string[] = [];
    const logger = createLogger({ app: 'test', level: 'warn', destination: { write: (line) => void warnings.push(line) } });
    const auditor = world.auditor({}, world.bus, logger);
    auditor.start();
    const run = syntheticRun({ at: 1_800_000_000_000 });
    await world.append([run]);
    const [requested] = run.appends[0] ?? [];
    for (const [version, type] of [[1, 'RunMoved'], [2, 'RunMoved'], [3, 'toString']] as const)
      await world.log.append([{ ...requested, task: 'later', version, type, data: '{}' } as unknown as NewEvent]);
    await projected();
    await auditor.stop();
    expect(warnings.map((line) => (JSON.parse(line) as { event: string; type: string }).type)).toEqual(['RunMoved', 'toString']);
    expect(warnings[0]).toContain('npx nx rebuild auditor');
  });

  it('applies a batch for one of many that try at once, and changes nothing for the others', async () => {
    await world.append(mixedRuns(10));
    const events = await world.log.readAfter(0, 1_000);
    const { epoch } = await openCheckpoint(world.pool, PROJECTION, 'beginning');
    const step = { checkpoint: PROJECTION, epoch, from: 0, to: events.length, changes: projectReadModels(events) };
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => applyChanges(world.pool, 'read_models', step)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    const rows = await readModelRows(world.pool);
    expect(await applyChanges(world.pool, 'read_models', step)).toBe(false);
    expect(await readModelRows(world.pool)).toEqual(rows);
    const counts = await eventCounts();
    for (const row of rows.runs as { run_id: string; events: number }[]) expect(row.events).toBe(counts.get(row.run_id));
  });

  it('takes over its checkpoint in a new epoch, but never beyond the end of the restored log', async () => {
    await world.append(mixedRuns(5));
    const first = world.auditor();
    first.start();
    await projected();
    await first.stop();
    await world.owner((client) => client.query(`UPDATE log_meta SET epoch = gen_random_uuid()`));
    await world.append([syntheticRun({ at: 1_900_000_000_000 })]);
    const second = world.auditor();
    second.start();
    await projected();
    await second.stop();
    const counts = await eventCounts();
    const rows = (await readModelRows(world.pool)).runs as { run_id: string; events: number }[];
    expect(rows).toHaveLength(6);
    for (const row of rows) expect(row.events).toBe(counts.get(row.run_id));
  });
});

describe('reading runs', () => {
  beforeEach(async () => {
    await world.append([
      ...mixedRuns(23),
      syntheticRun({ at: 1_800_000_001_000, workflow: 'needle.publish', input: { title: '50% off_all \\ "quoted"' } }),
    ]);
    const auditor = world.auditor();
    auditor.start();
    await projected();
    await auditor.stop();
  });

  it('lists newest first, page by page, each run once', async () => {
    const seen: string[] = [];
    let last = Infinity;
    let cursor: string | undefined;
    const { parsePageCursor } = await import('@foldwork/read-models');
    do {
      const from = cursor === undefined ? undefined : parsePageCursor(cursor);
      const page = await listRuns(world.pool, { namespace: 'default', limit: 4, ...(from && { cursor: from }) });
      for (const run of page.runs) {
        expect(run.requestedAt).toBeLessThanOrEqual(last);
        last = run.requestedAt;
        seen.push(run.runId);
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(18);
    const offset = await listRuns(world.pool, { namespace: 'default', limit: 4, offset: 4 });
    expect(offset.runs.map(({ runId }) => runId)).toEqual(seen.slice(4, 8));
  });

  it('keeps namespaces apart', async () => {
    const [other] = (await listRuns(world.pool, { namespace: 'other', limit: 100 })).runs;
    expect(other).toBeDefined();
    expect(await findRuns(world.pool, 'default', [other!.runId])).toEqual([]);
    expect(await findRuns(world.pool, 'other', [other!.runId])).toEqual([other]);
  });

  it('searches in name, input and error, with wildcards taken as they are', async () => {
    const search = async (text: string) => (await listRuns(world.pool, { namespace: 'default', search: text, limit: 100 })).runs.length;
    expect(await search('NEEDLE')).toBe(1);
    expect(await search('50% off_all')).toBe(1);
    expect(await search('50_ off%all')).toBe(0);
    expect(await search('it broke')).toBeGreaterThan(0);
  });

  it('filters by status, workflow and time', async () => {
    const at = 1_800_000_000_000;
    const page = await listRuns(world.pool, { namespace: 'default', status: 'failed', workflow: 'workflow-1', from: at, to: at + 23, limit: 100 });
    expect(page.runs.length).toBeGreaterThan(0);
    for (const run of page.runs) {
      expect(run).toMatchObject({ status: 'failed', workflow: 'workflow-1' });
      expect(run.requestedAt).toBeLessThan(at + 23);
    }
  });
});

it('declares to TypeORM exactly the tables that the migrations make', async () => {
  const source = new DataSource({ type: 'postgres', url: world.url, entities: [RunEntity, WorkflowEntity, AnchorEntity] });
  await source.initialize();
  for (const entity of [RunEntity, WorkflowEntity, AnchorEntity]) {
    const { schema, tableName, columns } = source.getMetadata(entity);
    const { rows } = await world.pool.query<{ name: string; nullable: string; type: string }>(
      'SELECT column_name AS name, is_nullable AS nullable, udt_name AS type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2',
      [schema, tableName],
    );
    const types: Record<string, string> = { int4: 'integer', int8: 'bigint' };
    const inDatabase = rows.map(({ name, nullable, type }) => ({ name, nullable: nullable === 'YES', type: types[type] ?? type }));
    const declared = columns.map((column) => ({ name: column.databaseName, nullable: column.isNullable, type: column.type as string }));
    const byName = (left: { name: string }, right: { name: string }) => left.name.localeCompare(right.name);
    expect(declared.sort(byName)).toEqual(inDatabase.sort(byName));
  }
  await source.destroy();
});
