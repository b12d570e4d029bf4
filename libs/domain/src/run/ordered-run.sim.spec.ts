import { Simulation, scripted, type SimulationOptions } from '@foldwork/testing';

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
});
