import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { task, workflow } from './harness/definitions';
import { faultsAfterwards, LogAccount } from './harness/log-account';
import { ONE_OF_EACH, type System } from './harness/system';
import { throughout } from './harness/throughout';

let system: System;
throughout({ ownPostgres: true }, (started) => (system = started));

const RUNS = 10;
const many = <T>(make: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: RUNS }, (_, index) => make(index)));

/** Copies the server's data at rest: as a crash would leave them. */
const whileDown = async (work: (data: string, backup: string) => void): Promise<void> => {
  const { postgres } = system;
  await postgres.kill();
  work(join(postgres.folder, 'data'), join(postgres.folder, 'backup'));
  await postgres.restart();
};

const newEpoch = async (): Promise<void> => {
  const owner = new Client({ connectionString: system.databaseUrl });
  await owner.connect();
  await owner.query('UPDATE public.log_meta SET epoch = DEFAULT').finally(() => owner.end());
};

it('a backup of the log takes the place of the log: what it has is finished, what came later is gone, and wishes from before count for nothing', async () => {
  const { api, world } = system;
  const definition = workflow('restored', [task('first'), task('held', { gate: 'restore' }), task('last')]);
  const done = await many((index) => api.submit(workflow('earlier', [task('only')]), {}, `earlier-${index}`));
  await Promise.all(done.map((run) => api.succeeded(run)));
  const open = await many((index) => api.submit(definition, {}, `open-${index}`));
  await world.when(() => open.every((run) => world.callsOf(run, 'held').length === 1));
  await whileDown((data, backup) => execFileSync('cp', ['-a', data, backup]));

  const forgotten = await many((index) => api.submitPatiently(definition, `forgotten-${index}`));
  await world.when(() => forgotten.every((run) => world.callsOf(run, 'held').length === 1));
  world.openGate('restore');
  await Promise.all([...open, ...forgotten].map((run) => api.succeeded(run)));
  const before = (await LogAccount.read(system.log)).events.length;
  await system.kill('executor'); // what is wished for now waits on the bus
  const wished = await many((index) => api.submit(definition, {}, `wished-${index}`));
  await system.kill(...ONE_OF_EACH);
  await whileDown((data, backup) => {
    rmSync(data, { recursive: true });
    renameSync(backup, data);
  });
  await newEpoch();

  await system.launchAll(ONE_OF_EACH);
  await Promise.all(open.map((run) => api.succeeded(run)));
  const after = await api.submit(definition, {}, 'open-0');
  expect(after).toBe(open[0]); // its key is in the backup
  await api.succeeded(await api.submit(definition, {}, 'forgotten-0'));
  for (const run of [...forgotten, ...wished]) expect([run, (await api.call('GET', `/orchestrator/runs/${run}`)).status]).toEqual([run, run === forgotten[0] ? 200 : 404]);
  expect((await LogAccount.read(system.log)).events.length).toBeLessThan(before);
  // What was executed for runs that the backup does not have, and for attempts that it lost, was executed all the same.
  expect((await faultsAfterwards(system)).filter((fault) => !fault.startsWith('executed'))).toEqual([]);
  expect(wished.flatMap((run) => world.callsOf(run))).toEqual([]);
  expect((await Promise.all(done.map((run) => api.detail(run)))).map(({ status }) => status)).toEqual(done.map(() => 'succeeded'));
}, 90_000);
