import { Simulation, scripted, UNKIND, type SimulationOptions } from '@foldwork/testing';
import { derivedRunId } from '../../run/outgoing';
import { parseDefinition } from '../built-in-language';

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
  it('[S3-14] sends the rendered payload once, {} when there is none, and says so', async () => {
    const sim = simulation();
    sim.define(WAITER);
    sim.define(SENDER(", to: { run: '${ input.run }' }"));
    sim.define("workflow: bare\ntasks:\n  - { id: tell, type: signal, signal: { id: go, to: { run: '${ input.run }' } } }");
    for (const [workflow, payload] of [['sender', { n: 2 }], ['bare', {}]] as const) {
      const waiter = await sim.request('waiter');
      const runId = await sim.request(workflow, { input: { n: 1, run: `run_${waiter}` } });
      await sim.pass(1_000);
      const { output } = await sim.task(runId, 'tell');
      expect(output).toEqual({ signalDispatched: true, signalId: expect.stringMatching(/^[0-9a-f]{32}$/), targets: [`run_${waiter}/gate`] });
      const arrived = (await sim.events(waiter)).filter(({ type }) => type === 'SignalReceived').map(({ data }) => JSON.parse(data));
      expect(arrived).toMatchObject([{ signal: 'go', signalId: (output as { signalId: string }).signalId, payload }]);
      expect((await sim.task(waiter, 'gate')).output).toMatchObject({ signal: { payload } });
    }
  });

  it.each([
    ['no id', '{ payload: { n: 1 } }', 'missing_field', '/tasks/0/signal'],
    ['an empty id', "{ id: '' }", 'invalid_value', '/tasks/0/signal/id'],
    ['a blank id', "{ id: '  ' }", 'invalid_value', '/tasks/0/signal/id'],
  ])('[S3-14] %s is refused', (_case, signal, code, pointer) => {
    const { definition, diagnostics } = parseDefinition(`workflow: w\ntasks:\n  - { id: tell, type: signal, signal: ${signal} }`);
    expect([definition, diagnostics.map((each) => [each.code, each.pointer])]).toEqual([undefined, [[code, pointer]]]);
  });

  it('[S3-14] an id that turns out blank fails the task', async () => {
    const sim = simulation();
    sim.define("workflow: blank\ntasks:\n  - { id: tell, type: signal, signal: { id: '${ input.name }' } }");
    const runId = await sim.request('blank', { input: { name: ' ' } });
    await sim.settle();
    expect(await sim.task(runId, 'tell')).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
  });

  it('[S3-14] one that cannot be delivered fails the task, and is sent again when the task is tried again', async () => {
    const sim = simulation();
    sim.define(WAITER);
    sim.define(SENDER(", to: { run: '${ input.run }' }").replace('type: signal', 'type: signal\n    retry: { maximumAttempts: 2, initialInterval: 10s }'));
    const later = derivedRunId(sim.now + 5_000, 'request 3');
    const [hopeful, hopeless] = [await sim.request('sender', { input: { n: 1, run: `run_${later}` } }), await sim.request('sender', { input: { n: 1, run: `run_${derivedRunId(0, 'nobody')}` } })];
    await sim.pass(5_000);
    expect(await sim.task(hopeful, 'tell')).toMatchObject({ status: 'failed', error: { code: 'SIGNAL_TARGET_UNKNOWN' } });
    expect(await sim.request('waiter')).toBe(later);
    await sim.pass(60_000);
    expect(await sim.task(hopeful, 'tell')).toMatchObject({ status: 'completed', attempt: 2 });
    expect((await sim.task(later, 'gate')).status).toBe('completed');
    expect(await sim.task(hopeless, 'tell')).toMatchObject({ status: 'failed', attempt: 2 });
    expect(await sim.run(hopeless)).toMatchObject({ status: 'failed', error: { code: 'SIGNAL_TARGET_UNKNOWN' } });
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
