import { Simulation, scripted, type SimulationOptions } from '@foldwork/testing';
import type { RunId, TaskPath } from '@foldwork/events/contracts';

const simulation = (options: SimulationOptions = {}): Simulation => new Simulation({ actions: { step: scripted, undo: scripted }, ...options });
const ESCALATES = (strategy: string): string => `
workflow: escalates
timeout: 10s
tasks:
  - id: both
    type: parallel
    strategy: ${strategy}
    tasks:
      - { id: a, type: basic, action: step, escalate: [BAD], with: { failures: 9, code: BAD } }
      - { id: b, type: basic, action: step, with: { ms: 2000 } }
  - { id: after, type: basic, action: step }
`;
const runEvents = async (sim: Simulation, runId: RunId): Promise<string[]> => (await sim.events(runId)).filter(({ task }) => task === '').map(({ type }) => type);
const resolve = (sim: Simulation, runId: RunId) => sim.command(runId, { kind: 'resolve', task: 'both/a' as TaskPath, as: 'completed', reason: 'looked at it' });

describe('resolving an escalated task', () => {
  it('of a canceled run settles the task and leaves the run canceled', async () => {
    const sim = simulation();
    sim.define(ESCALATES('wait_all'));
    const runId = await sim.request('escalates');
    await sim.pass(1_000);
    await sim.command(runId, { kind: 'cancel' });
    await sim.pass(1_000);
    expect((await resolve(sim, runId)).accepted).toBe(true);
    await sim.settle();
    expect([(await sim.run(runId)).status, (await sim.task(runId, 'both/a')).status, sim.world.callsOf('after')]).toEqual(['canceled', 'completed', 0]);
  });

  it('of a run that succeeded without it settles the task and leaves the run as it ended', async () => {
    const sim = simulation();
    sim.define(ESCALATES('best_effort'));
    const runId = await sim.request('escalates');
    await sim.settle();
    expect((await resolve(sim, runId)).accepted).toBe(true);
    await sim.settle();
    expect([(await sim.task(runId, 'both/a')).status, await runEvents(sim, runId)]).toEqual(['completed', ['RunRequested', 'RunPlanned', 'RunCompleted']]);
  });

  it('lets all containers around it go on, and what was taken away inside each of them, once', async () => {
    const sim = simulation();
    sim.define(`
workflow: nested
tasks:
  - id: outer
    type: parallel
    strategy: fail_fast
    tasks:
      - id: both
        type: parallel
        strategy: fail_fast
        tasks:
          - { id: a, type: basic, action: step, escalate: [BAD], with: { failures: 9, code: BAD } }
          - { id: b, type: basic, action: step, with: { ms: 2000 } }
      - { id: c, type: basic, action: step, with: { ms: 2000 } }
`);
    const runId = await sim.request('nested');
    await sim.settle();
    expect(await sim.statuses(runId)).toMatchObject({ outer: 'failed', 'outer/both': 'failed', 'outer/both/b': 'canceled', 'outer/c': 'canceled' });
    await sim.command(runId, { kind: 'resolve', task: 'outer/both/a' as TaskPath, as: 'completed', reason: 'looked at it' });
    await sim.settle();
    expect(new Set(Object.values(await sim.statuses(runId)))).toEqual(new Set(['completed']));
  });

  it('gives the run its time again: a person may think for longer than the run may take', async () => {
    const sim = simulation();
    sim.define(ESCALATES('wait_all'));
    const runId = await sim.request('escalates');
    await sim.pass(3_600_000);
    expect((await sim.run(runId)).status).toBe('failed');
    await resolve(sim, runId);
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
  });
});

it('a run that took too long has its whole time again when a person has it tried again, from its turn in the lane on', async () => {
  const sim = simulation();
  sim.define('workflow: slow\ntimeout: 10s\ntasks: [ { id: a, type: basic, action: step, with: { ms: 6000 } }, { id: b, type: basic, action: step, with: { ms: 6000 } } ]');
  sim.define('workflow: other\ntasks: [ { id: a, type: basic, action: step, with: { ms: 60000 } } ]');
  const lane = { key: 'k', limit: 1 };
  const runId = await sim.request('slow', { lane });
  await sim.request('other', { lane });
  await sim.pass(11_000);
  expect(await sim.run(runId)).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } });
  await sim.command(runId, { kind: 'retry' });
  await sim.settle();
  expect([(await sim.run(runId)).status, sim.world.calls.filter((call) => call.runId === runId && call.task === 'a')]).toEqual(['succeeded', [expect.anything()]]);
});

it('a cancel that was accepted is not lost to a retry that comes before it is carried out', async () => {
  const sim = simulation();
  sim.define('workflow: w\ntasks: [ { id: a, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 } } ]');
  const runId = await sim.request('w', { retry: { delayMs: 30_000, maximum: 1 } });
  await sim.pass(1_000);
  const answers = await Promise.all([sim.command(runId, { kind: 'cancel' }), sim.command(runId, { kind: 'retry' })]);
  await sim.settle();
  expect([answers.map(({ accepted }) => accepted), (await sim.run(runId)).status]).toEqual([[true, false], 'canceled']);
});

it('a run whose rollback stopped half way does not go on from there', async () => {
  const sim = simulation();
  sim.define(`
workflow: half
rollback: onFailure
timeout: 5s
tasks:
  - { id: a, type: basic, action: step, undo: { action: undo, with: { failures: 9 } } }
  - { id: b, type: basic, action: step, undo: { action: undo } }
  - { id: c, type: basic, action: step, with: { ms: 60000 } }
`);
  const runId = await sim.request('half');
  await sim.settle();
  expect([(await sim.run(runId)).error?.code, sim.world.undone]).toEqual(['ROLLBACK_FAILED', ['b']]);
  expect(await sim.command(runId, { kind: 'retry' })).toMatchObject({ accepted: false, code: 'retry_not_allowed' });
});
