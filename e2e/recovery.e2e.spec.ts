import { onceTask, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import { slowness } from './harness/slowness';
import { ONE_OF_EACH, type System } from './harness/system';
import { throughout } from './harness/throughout';
import { until } from './harness/until';

const LEASE_MS = 1_500;
/** From the spawn until everything that was held up is done, loading included, on two cores with nothing else to do. */
const BACK_AT_WORK_MS = 2_000;
/** `once` effects of a lost executor may still be on their way for so long. */
const QUARANTINE_MS = 1_000;

let system: System;
throughout({ env: { FOLDWORK_EXECUTOR_LEASE: `${LEASE_MS}ms` }, onceTasks: ['upload'] }, (started) => (system = started));

const RUNS = 30;
const names = (prefix: string): string[] => Array.from({ length: RUNS }, (_, index) => `${prefix}-${index}`);

/** Runs that are held up at their second task, in the outside world. */
const runsInFlight = async (name: string, held = onceTask('upload', { gate: name })): Promise<string[]> => {
  const { api, world } = system;
  const definition = workflow(name, [task('validate'), held, task('save')]);
  const runs = await Promise.all(names(name).map((key) => api.submit(definition, {}, key)));
  await world.when(() => runs.every((run) => world.callsOf(run, held.id).length === 1));
  return runs;
};

const allSucceeded = (runs: readonly string[]): Promise<unknown> => Promise.all(runs.map((run) => system.api.succeeded(run)));

/** The limit holds for a machine with nothing else to do; beside tests of another file it is longer by as much as they slow it down. */
const inTime = async (what: string, from: number, limitMs: number, before: number): Promise<void> => {
  const elapsedMs = performance.now() - from;
  const stretch = Math.max(before, await slowness());
  if (process.env['FOLDWORK_TEST_FIGURES'] !== undefined) process.stdout.write(`${what}: ${Math.round(elapsedMs)} ms on a machine slower by ${stretch.toFixed(2)}\n`);
  expect(elapsedMs).toBeLessThan(limitMs * stretch);
};

describe('back at work after a kill', () => {
  it.each(['planner', 'gateway', 'auditor'])('a killed %s is back within 2 s of its restart', async (name) => {
    const { api, world } = system;
    const runs = await runsInFlight(`back-${name}`);
    const before = await slowness();
    await system.kill(name);
    world.openGate(`back-${name}`); // what it should have seen happens while it is away
    const spawnedAt = performance.now();
    system.launch(name);
    await system.ready(name);
    await allSucceeded(runs);
    const after = await api.submit(workflow(`after-${name}`, [task('one')]));
    await api.succeeded(after);
    await projected(after);
    await inTime(name, spawnedAt, BACK_AT_WORK_MS, before);
  }, 30_000);

  it('all four killed together are back within 2 s of their restart', async () => {
    const runs = await runsInFlight('back-all');
    const repeatable = await runsInFlight('back-all-repeatable', task('map', { gate: 'back-all-repeatable' }));
    const before = await slowness();
    await system.kill(...ONE_OF_EACH);
    for (const gate of ['back-all', 'back-all-repeatable']) system.world.openGate(gate);
    const spawnedAt = performance.now();
    await system.launchAll(ONE_OF_EACH);
    await allSucceeded(repeatable);
    await projected(repeatable[0]!);
    await inTime('all four', spawnedAt, BACK_AT_WORK_MS, before);
    await allSucceeded(runs); // with what must not be repeated, after its quarantine
    await inTime('all four, once', spawnedAt, QUARANTINE_MS + BACK_AT_WORK_MS, before);
    for (const run of runs) expect(system.world.effects.filter((effect) => effect.run === run && effect.task === 'upload')).toHaveLength(1);
  }, 30_000);

  it('an executor that comes back under its name gives up its old attempts at once', async () => {
    const runs = await runsInFlight('back-executor');
    const before = await slowness();
    await system.kill('executor');
    system.world.openGate('back-executor');
    const spawnedAt = performance.now();
    system.launch('executor');
    await system.ready('executor');
    await allSucceeded(runs);
    await inTime('executor', spawnedAt, QUARANTINE_MS + BACK_AT_WORK_MS, before);
    await onlyInFlightRepeated(runs);
  }, 30_000);

  it('what an executor held that never comes back is finished by others within its lease and 2 s', async () => {
    await system.launchAll(['executor-other']);
    await system.kill('executor');
    await system.launchAll(['executor-doomed']);
    const runs = await runsInFlight('never-back');
    const before = await slowness();
    await system.kill('executor-doomed');
    const killedAt = performance.now();
    system.world.openGate('never-back');
    await allSucceeded(runs);
    await inTime('never back', killedAt, LEASE_MS + BACK_AT_WORK_MS, before);
    await onlyInFlightRepeated(runs);
    system.launch('executor');
    await system.ready('executor');
  }, 30_000);
});

describe('told to stop', () => {
  it('an executor finishes the task in hand and leaves the rest to its successor: no attempt is cut short', async () => {
    const { world } = system;
    const runs = await runsInFlight('told-to-stop');
    const executor = system.service('executor');
    const stopping = executor.kill('SIGTERM');
    await executor.logged('stopping');
    world.openGate('told-to-stop');
    await stopping;
    system.launch('executor');
    await allSucceeded(runs);
    const account = await LogAccount.read(system.log);
    for (const run of runs) expect(account.attemptsOf(run).map(({ task: path, ended }) => [path, ended])).toEqual([['validate', 'completed'], ['upload', 'completed'], ['save', 'completed']]);
  }, 30_000);
});

/** The read model behind the list has the end of the run. */
const projected = (run: string): Promise<unknown> =>
  until(`${run} in the list`, async () => {
    const { body } = await system.api.call('GET', '/orchestrator/runs?limit=100');
    return (body as { runs: { runId: string; status: string }[] }).runs.some(({ runId, status }) => runId === run && status === 'succeeded');
  });

/** `validate` was recorded and never runs again; of `upload` the attempt in flight is asked about, and not repeated. */
const onlyInFlightRepeated = async (runs: readonly string[]): Promise<void> => {
  const account = await LogAccount.read(system.log);
  expect(account.faults).toEqual([]);
  for (const run of runs) {
    expect(system.world.callsOf(run).map((call) => call.task)).toEqual(['validate', 'upload', 'save']);
    expect(account.attemptsOf(run, 'validate')).toHaveLength(1);
    expect(account.attemptsOf(run, 'upload').length).toBeLessThanOrEqual(2);
  }
};
