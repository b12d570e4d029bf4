import { exec } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { listRuns, PROJECTION } from '@foldwork/read-models';
import { syntheticRun } from '@foldwork/testing';
import { auditorWorld, checkpointOf, mixedRuns, readModelRows, remakeReadModels, until, type AuditorWorld } from './auditor-world';

const WORKSPACE = join(__dirname, '../../..');

let world: AuditorWorld;
beforeEach(async () => {
  world = await auditorWorld();
});
afterEach(() => world.close());

const runRebuild = (): Promise<number> => remakeReadModels(world);

const projected = async (): Promise<void> => {
  const head = await world.log.head();
  await until(async () => (await checkpointOf(world.pool, PROJECTION)) === head, 'projection');
};

const indexes = async (): Promise<unknown[]> =>
  (await world.pool.query(`SELECT indexdef FROM pg_indexes WHERE schemaname = 'read_models' ORDER BY indexdef`)).rows;

/** How the tables leave room for new versions of their rows, and who may do what. */
const tables = async (): Promise<unknown[]> =>
  (await world.pool.query(`SELECT relname, reloptions, relacl::text FROM pg_class WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r' ORDER BY 1`)).rows;

describe('a rebuild of the read models', () => {
  it('gives the rows that the projection gave, with the same indexes, constraints, storage parameters and rights', async () => {
    const auditor = world.auditor();
    auditor.start();
    await world.append(mixedRuns(60));
    await projected();
    await auditor.stop();
    const before = { rows: await readModelRows(world.pool), indexes: await indexes(), tables: await tables() };
    expect(await runRebuild()).toBe(await world.log.head());
    expect({ rows: await readModelRows(world.pool), indexes: await indexes(), tables: await tables() }).toEqual(before);
    const { rows: schemas } = await world.pool.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read_models%'`);
    expect(schemas).toEqual([{ nspname: 'read_models' }]);
    expect(await checkpointOf(world.pool, 'auditor-rebuild')).toBe(0);
    await expect(world.owner((client) => client.query(`UPDATE read_models.runs SET status = 'lost'`))).rejects.toThrow(/check constraint/);
  });

  it('repairs rows that somebody changed', async () => {
    await world.append(mixedRuns(10));
    const auditor = world.auditor();
    auditor.start();
    await projected();
    await auditor.stop();
    const right = await readModelRows(world.pool);
    await world.owner((client) => client.query('DELETE FROM read_models.runs WHERE events > 5; UPDATE read_models.runs SET events = 99'));
    await runRebuild();
    expect(await readModelRows(world.pool)).toEqual(right);
  });

  it('goes on while runs are written, projected and read; no reader ever misses a run', async () => {
    await world.append(mixedRuns(100));
    const auditors = [world.auditor(), world.auditor()];
    auditors.forEach((auditor) => auditor.start());
    await projected();
    let isBusy = true;
    let fewest = Infinity;
    let slowestMs = 0;
    const reading = (async () => {
      while (isBusy) {
        const start = performance.now();
        const { runs } = await listRuns(world.pool, { namespace: 'other', limit: 100 });
        slowestMs = Math.max(slowestMs, performance.now() - start);
        fewest = Math.min(fewest, runs.length);
      }
    })();
    const writing = (async () => {
      for (let at = 1_900_000_000_000; isBusy; at += 1_000) await world.append(mixedRuns(20, at));
    })();
    for (let round = 0; round < 3; round += 1) await runRebuild();
    isBusy = false;
    await Promise.all([reading, writing]);
    await projected();
    await Promise.all(auditors.map((auditor) => auditor.stop()));
    const live = await readModelRows(world.pool);
    await runRebuild();
    expect(await readModelRows(world.pool)).toEqual(live);
    expect(fewest).toBeGreaterThanOrEqual(25);
    expect(slowestMs).toBeLessThan(2_000);
  });

  it('refuses to run twice at once, and starts over after one that died half way', async () => {
    await world.append([syntheticRun()]);
    await world.owner(async (client) => {
      await client.query('CREATE SCHEMA read_models_shadow; CREATE TABLE read_models_shadow.runs (half int)');
      await client.query('SELECT pg_advisory_lock(7381240356830343788)');
      await expect(runRebuild()).rejects.toThrow('another rebuild');
    });
    expect(await runRebuild()).toBe(await world.log.head());
    expect((await readModelRows(world.pool)).runs).toHaveLength(1);
  });

  it('has a command of its own that reports what it did: as `nx rebuild auditor` calls it, and with the database as an argument', async () => {
    await world.append([syntheticRun()]);
    const { targets } = JSON.parse(readFileSync(join(WORKSPACE, 'apps/auditor/project.json'), 'utf8')) as { targets: { rebuild: { options: { command: string } } } };
    const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, FOLDWORK_LOG_LEVEL: 'silent' };
    const call = async (more: string, settings: object): Promise<string> =>
      (await promisify(exec)(`${targets.rebuild.options.command}${more}`, { cwd: WORKSPACE, env: { ...env, ...settings } })).stdout;
    const report = `The read models are made anew from ${await world.log.head()} events.\n`;
    expect(await call('', { FOLDWORK_DATABASE_URL: world.url })).toBe(report);
    expect(await call(` --database-url ${world.url}`, {})).toBe(report);
    await expect(call('', { FOLDWORK_DATABASE_URL: 'postgres://127.0.0.1:1/none' })).rejects.toMatchObject({ code: 1 });
  });
});
