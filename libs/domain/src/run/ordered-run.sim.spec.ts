import { Simulation, scripted, type SimulationOptions } from '@foldwork/testing';
import { decideRun } from './decide-run';

const FIVE = `
workflow: five
tasks:
  - { id: one, type: basic, action: step, with: { output: { id: 1 } } }
  - { id: two, type: basic, action: step, with: { output: { id: 2 } } }
  - { id: three, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '\${ input.failures }', output: { id: 3 } } }
  - { id: four, type: basic, action: step, with: { output: { id: 4 } } }
  - { id: five, type: basic, action: step, with: { output: { id: 5 } } }
`;

const simulation = (options: SimulationOptions = {}): Simulation => new Simulation({ actions: { step: scripted }, ...options });

describe('a run of ordered tasks', () => {
  it('completes in one segment with one event per step', async () => {
    const sim = simulation();
    sim.define(FIVE);
    const runId = await sim.request('five', { input: { failures: 0 } });
    await sim.settle();
    const run = await sim.run(runId);
    expect(run.status).toBe('succeeded');
    const types = (await sim.events(runId)).map(({ type, task }) => `${type}:${task}`);
    expect(types).toEqual([
      'RunRequested:', 'RunPlanned:', 'TaskTransitioned:one', 'TaskTransitioned:one', 'TaskTransitioned:two', 'TaskTransitioned:three',
      'TaskTransitioned:four', 'TaskTransitioned:five', 'RunCompleted:',
    ]);
  });

  it('[S1-05] stops at the first failure: the tasks behind it stay pending and are not called', async () => {
    const sim = simulation();
    sim.define(FIVE);
    const runId = await sim.request('five', { input: { failures: 1 } });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('failed');
    expect(await sim.statuses(runId)).toEqual({ one: 'completed', two: 'completed', three: 'failed', four: 'pending', five: 'pending' });
    expect(sim.world.callsOf('four')).toBe(0);
  });

  it('[S1-06] the second pass after a transient failure of the third runs three to five and none of the others', async () => {
    const sim = simulation();
    sim.define(FIVE);
    const runId = await sim.request('five', { input: { failures: 1 } });
    await sim.settle();
    await sim.command(runId, { kind: 'retry' });
    await sim.settle();
    const run = await sim.run(runId);
    expect([run.status, new Set([...run.tasks.values()].map(({ status }) => status))]).toEqual(['succeeded', new Set(['completed'])]);
    expect(await Promise.all(['two', 'three', 'five'].map(async (id) => (await sim.task(runId, id)).output))).toEqual([{ id: 2 }, { id: 3 }, { id: 5 }]);
    expect(['one', 'two', 'three'].map((id) => sim.world.callsOf(id))).toEqual([1, 1, 2]);
  });

  it('[S2-09] deciding writes nothing: the log changes only when the caller appends', async () => {
    const sim = simulation();
    const definition = sim.define(FIVE);
    const runId = await sim.request('five', { input: { failures: 0 } });
    const decision = decideRun(await sim.run(runId), definition, { now: sim.now, metadata: { actor: 'test' }, quarantineMs: 0, isLost: () => false });
    expect([decision.events.length, await sim.log.head()]).toEqual([1, 1]);
    await sim.log.append(decision.events);
    expect(await sim.log.head()).toBe(2);
  });
});
