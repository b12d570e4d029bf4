import { Simulation, scripted, UNKIND, type SimulationOptions } from '@foldwork/testing';

const WAITER = "workflow: waiter\ntasks:\n  - { id: gate, type: wait, waitFor: go, timeout: 1h }";
const SENDER = (to = ''): string => `
workflow: sender
tasks:
  - id: tell
    type: signal
    signal: { id: go, payload: { n: '\${ input.n + 1 }' }${to} }
`;
const TRIGGERED = `
workflow: triggered
triggers: [ { signal: go } ]
tasks:
  - { id: work, type: basic, action: step, with: { output: '\${ input }' } }
`;
const simulation = (options: SimulationOptions = {}): Simulation => new Simulation({ actions: { step: scripted }, ...options });

describe('signal', () => {
  it('sends the rendered payload once and says so', async () => {
    const sim = simulation();
    sim.define(SENDER());
    sim.define("workflow: bare\ntasks:\n  - { id: tell, type: signal, signal: { id: go } }");
    sim.define(TRIGGERED);
    const runId = await sim.request('sender', { input: { n: 1 } });
    const bare = await sim.request('bare');
    await sim.settle();
    const { output, input } = await sim.task(runId, 'tell');
    expect(output).toMatchObject({ signalDispatched: true, signalId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(input).toEqual({ signal: 'go', payload: { n: 2 } });
    expect((await sim.task(bare, 'tell')).input).toEqual({ signal: 'go', payload: {} });
  });

  it('[S3-15] releases the waits of two runs and names both', async () => {
    const sim = simulation();
    sim.define(WAITER);
    sim.define(SENDER());
    const waiters = [await sim.request('waiter'), await sim.request('waiter')];
    await sim.pass(50);
    const runId = await sim.request('sender', { input: { n: 1 } });
    await sim.pass(1_000);
    for (const waiter of waiters) expect(await sim.task(waiter, 'gate')).toMatchObject({ status: 'completed', output: { signal: { payload: { n: 2 } } } });
    expect((await sim.task(runId, 'tell')).output).toMatchObject({ targets: waiters.map((id) => `run_${id}/gate`) });
  });

  it('can be meant for one run, which keeps it until it waits', async () => {
    const sim = simulation();
    sim.define(WAITER.replace('tasks:', 'tasks:\n  - { id: work, type: basic, action: step, with: { ms: 5000 } }'));
    sim.define(SENDER(", to: { run: '${ input.run }' }"));
    const [one, two] = [await sim.request('waiter'), await sim.request('waiter')];
    await sim.request('sender', { input: { n: 1, run: `run_${one}` } });
    await sim.pass(60_000);
    expect([(await sim.task(one, 'gate')).status, (await sim.task(two, 'gate')).status]).toEqual(['completed', 'waiting']);
  });

  it('starts a workflow that it triggers, once, whatever dies', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const sim = simulation({ seed, faults: UNKIND });
      sim.define(TRIGGERED);
      sim.define(SENDER());
      const runId = await sim.request('sender', { input: { n: 1 } });
      await sim.settle();
      const requested = (await sim.log.readAfter(0, 9999)).filter(({ type }) => type === 'RunRequested');
      expect([seed, (await sim.run(runId)).status, requested.length]).toEqual([seed, 'succeeded', 2]);
      const started = await sim.run(requested.find((event) => event.runId !== runId)?.runId as never);
      expect(started).toMatchObject({ workflow: 'triggered', status: 'succeeded', input: { n: 2 } });
    }
  });
});
