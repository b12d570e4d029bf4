import { Simulation, scripted } from '@foldwork/testing';
import type { RunId, TaskPath } from '@foldwork/events/contracts';

const simulation = (): Simulation => new Simulation({ actions: { step: scripted, undo: scripted } });
const eventsOf = async (sim: Simulation, runId: RunId, path: string) => (await sim.events(runId)).filter(({ task }) => task === path);

it('a task cannot be settled by a person while it is being undone: the rollback would wait for ever for its end', async () => {
  const sim = simulation();
  sim.define(`
workflow: doubt
rollback: onFailure
tasks:
  - id: both
    type: parallel
    tasks:
      - { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, escalate: [BAD], with: { failures: 9, code: BAD, effect: true }, undo: { action: undo, with: { ms: 5000 } } }
`);
  const runId = await sim.request('doubt');
  await sim.pass(4_000);
  expect((await sim.task(runId, 'both/pay')).undo).toBe('started');
  const decision = await sim.command(runId, { kind: 'resolve', task: 'both/pay' as TaskPath, as: 'completed', reason: 'it went through' });
  await sim.settle();
  expect([decision.accepted, (await sim.run(runId)).status]).toEqual([false, 'rolled_back']);
});

it('the time of a pause does not count as time in which nobody picked a task up', async () => {
  const sim = simulation();
  sim.missingActions.add('step');
  sim.define('workflow: picked\ntasks: [ { id: a, type: basic, action: step, scheduleTimeout: 10s, retry: { maximumAttempts: 1 } } ]');
  const runId = await sim.request('picked');
  await sim.pass(5_000);
  await sim.command(runId, { kind: 'pause' });
  await sim.pass(3_600_000);
  await sim.command(runId, { kind: 'resume' });
  await sim.pass(4_000);
  sim.missingActions.clear();
  await sim.settle();
  expect((await sim.run(runId)).status).toBe('succeeded');
});

it.each([['parallel', 'tasks'], ['collection', 'each'], ['composite', 'tasks']])('a once effect that was taken from its executor inside a %s may still be on its way: nobody is asked about it at once', async (type, field) => {
  const sim = simulation();
  sim.define(`
workflow: again
tasks:
  - id: both
    type: parallel
    strategy: fail_fast
    retry: { maximumAttempts: 2, initialInterval: 0 }
    tasks:
      - { id: a, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1, ms: 100 } }
      - id: in
        type: ${type}
        ${type === 'collection' ? 'items: [1, 2]\n        mode: sequential' : ''}
        ${field}: [ { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { ms: 1000, effect: true } } ]
`);
  const runId = await sim.request('again');
  await sim.settle();
  const [path, next] = type === 'collection' ? ['both/in[0]', 'both/in[1]'] : ['both/in/pay', 'both/a'];
  const moments = (await eventsOf(sim, runId, path)).map(({ recordedAt }) => recordedAt);
  const [, takenAt = 0, , begunAgainAt = 0] = moments;
  expect([(await sim.run(runId)).status, begunAgainAt - takenAt >= 2_000]).toEqual(['succeeded', true]);
  if (type === 'collection') expect((await eventsOf(sim, runId, next)).at(-1)?.recordedAt).toBeGreaterThan(begunAgainAt);
});
