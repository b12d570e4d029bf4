import { onceTask, task, workflow } from './harness/definitions';
import { faultsAfterwards, LogAccount } from './harness/log-account';
import { ONE_OF_EACH, System } from './harness/system';
import { until } from './harness/until';

const LEASE_MS = 1_500;
/** What is allowed, from the moment a service has loaded, on a machine with nothing else to do. */
const BACK_AT_WORK_MS = 2_000;
/** The same work without a kill, measured first: on a busy machine everything takes its time. */
let undisturbedMs = 0;
const limitMs = (): number => BACK_AT_WORK_MS + 3 * undisturbedMs;

let system: System;
beforeAll(async () => {
  system = await System.start({ env: { FOLDWORK_EXECUTOR_LEASE: `${LEASE_MS}ms` } });
}, 60_000);
afterAll(async () => {
  try {
    expect(await faultsAfterwards(system, ['upload'])).toEqual([]);
  } finally {
    await system.stop();
  }
}, 60_000);

const RUNS = 30;
const names = (prefix: string): string[] => Array.from({ length: RUNS }, (_, index) => `${prefix}-${index}`);

/** Runs that are held up at their second task, in the outside world. */
const runsInFlight = async (name: string): Promise<string[]> => {
  const { api, world } = system;
  const definition = workflow(name, [task('validate'), onceTask('upload', { gate: name }), task('save')]);
  const runs = await Promise.all(names(name).map((key) => api.submit(definition, {}, key)));
  await world.when(() => runs.every((run) => world.callsOf(run, 'upload').length === 1));
  return runs;
};

const allSucceeded = (runs: readonly string[]): Promise<unknown> => Promise.all(runs.map((run) => system.api.succeeded(run)));

const report = (what: string, spawnedAt: number, readyAt: number): void => {
  if (process.env['FOLDWORK_TEST_FIGURES'] === undefined) return;
  const now = performance.now();
  process.stdout.write(`${what}: done ${Math.round(now - spawnedAt)} ms after the spawn, ${Math.round(now - readyAt)} ms after it was ready\n`);
};

describe('back at work after a kill', () => {
  beforeAll(async () => {
    const runs = await runsInFlight('undisturbed');
    const openedAt = performance.now();
    system.world.openGate('undisturbed');
    await allSucceeded(runs);
    undisturbedMs = performance.now() - openedAt;
    report('undisturbed', openedAt, openedAt);
  });

  it.each(['planner', 'gateway', 'auditor'])('a killed %s is back within 2 s of its restart', async (name) => {
    const { api, world } = system;
    const runs = await runsInFlight(`back-${name}`);
    await system.kill(name);
    world.openGate(`back-${name}`); // what it should have seen happens while it is away
    const spawnedAt = performance.now();
    system.launch(name);
    await system.ready(name);
    const readyAt = performance.now();
    await allSucceeded(runs);
    const after = await api.submit(workflow(`after-${name}`, [task('one')]));
    await api.succeeded(after);
    await projected(after);
    report(name, spawnedAt, readyAt);
    expect(performance.now() - readyAt).toBeLessThan(limitMs());
  }, 30_000);

  it('all four killed together are back within 2 s of their restart', async () => {
    const runs = await runsInFlight('back-all');
    await system.kill(...ONE_OF_EACH);
    system.world.openGate('back-all');
    const spawnedAt = performance.now();
    await system.launchAll(ONE_OF_EACH);
    const readyAt = performance.now();
    await allSucceeded(runs);
    await projected(runs[0]!);
    report('all four', spawnedAt, readyAt);
    expect(performance.now() - readyAt).toBeLessThan(limitMs());
    for (const run of runs) expect(system.world.effects.filter((effect) => effect.run === run && effect.task === 'upload')).toHaveLength(1);
  }, 30_000);

  it('an executor that comes back under its name gives up its old attempts at once', async () => {
    const runs = await runsInFlight('back-executor');
    await system.kill('executor');
    system.world.openGate('back-executor');
    const spawnedAt = performance.now();
    system.launch('executor');
    await system.ready('executor');
    const readyAt = performance.now();
    await allSucceeded(runs);
    report('executor', spawnedAt, readyAt);
    expect(performance.now() - readyAt).toBeLessThan(limitMs());
    await onlyInFlightRepeated(runs);
  }, 30_000);

  it('what an executor held that never comes back is finished by others within its lease and 2 s', async () => {
    await system.launchAll(['executor-other']);
    await system.kill('executor');
    await system.launchAll(['executor-doomed']);
    const runs = await runsInFlight('never-back');
    await system.kill('executor-doomed');
    const killedAt = performance.now();
    system.world.openGate('never-back');
    await allSucceeded(runs);
    report('never back', killedAt, killedAt);
    expect(performance.now() - killedAt).toBeLessThan(LEASE_MS + limitMs());
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
