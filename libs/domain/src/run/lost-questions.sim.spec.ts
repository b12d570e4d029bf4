import { Simulation, scripted, type SimulatedAction } from '@foldwork/testing';

const simulation = (pay: SimulatedAction): Simulation => new Simulation({ actions: { pay, step: scripted, undo: scripted } });
const PAY = (more: string): string => `
workflow: pay
tasks:
  - { id: pay, type: basic, action: pay, effect: once, verify: { action: find, found: result.found }, ${more} }
`;
const lostAnswer: SimulatedAction = () => ({ error: { code: 'ATTEMPT_TIMEOUT', message: 'no answer' }, effect: true });

describe('the question whether a once effect took place', () => {
  it('is asked again when the executor that asked last is lost', async () => {
    const sim = simulation(lostAnswer);
    sim.define(PAY('retry: { maximumAttempts: 1 }'));
    const runId = await sim.request('pay');
    await sim.pass(1_001);
    let lost = 0;
    for (let ms = 0; ms < 20_000 && lost < 3; ms += 1) {
      const task = await sim.task(runId, 'pay');
      if (task.status === 'in_progress' && task.attempt > 1) {
        sim.killExecutor(0);
        sim.killExecutor(1);
        lost += 1;
      }
      await sim.pass(1);
    }
    expect(lost).toBe(3);
    await sim.settle();
    expect([(await sim.run(runId)).status, sim.world.effectsOf(runId, 'pay'), sim.world.callsOf('pay')]).toEqual(['succeeded', 1, 1]);
  });

  it('is asked although its error is not to be retried; nothing else is tried then', async () => {
    for (const effect of [true, false]) {
      const sim = simulation(() => ({ error: { code: 'ATTEMPT_TIMEOUT', message: 'no answer' }, effect }));
      sim.define(PAY('retry: { maximumAttempts: 5, nonRetryableErrors: [ATTEMPT_TIMEOUT] }'));
      const runId = await sim.request('pay');
      await sim.settle();
      expect([(await sim.run(runId)).status, sim.world.callsOf('pay')]).toEqual([effect ? 'succeeded' : 'failed', 1]);
    }
  });
});

describe('an undo', () => {
  const UNDONE = (undo: string): string => `
workflow: undone
rollback: onFailure
tasks:
  - { id: a, type: basic, action: step, retry: { maximumAttempts: 2 }, undo: { action: undo, with: { ms: 60000 ${undo} } } }
  - { id: b, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 9 } }
`;
  const kill = async (sim: Simulation, times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      await sim.pass(5_000);
      sim.killExecutor(0);
      sim.killExecutor(1);
    }
    await sim.settle();
  };

  it('does not count against its attempts when its executor is lost', async () => {
    const sim = simulation(scripted);
    sim.define(UNDONE(', failures: 0'));
    const runId = await sim.request('undone');
    await kill(sim, 5);
    expect([(await sim.run(runId)).status, sim.world.undone]).toEqual(['rolled_back', ['a']]);
  });

  it('that takes its executor down each time ends at last', async () => {
    const sim = simulation(scripted);
    sim.define(UNDONE(''));
    const runId = await sim.request('undone');
    await kill(sim, 30);
    expect(await sim.run(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED', message: expect.stringContaining('lost its lease') } });
  });

  it('of a once effect that may still be on its way waits as another attempt would', async () => {
    const sim = simulation(scripted);
    sim.define(`
workflow: doubt
rollback: onFailure
timeout: 2s
tasks:
  - { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { ms: 60000, effect: true }, undo: { action: undo } }
`);
    const runId = await sim.request('doubt');
    await sim.settle();
    const { endedAt = 0 } = await sim.task(runId, 'pay');
    const undo = sim.world.calls.find(({ task }) => task === 'pay!undo');
    expect([(await sim.run(runId)).status, (undo?.now ?? 0) - endedAt]).toEqual(['rolled_back', expect.any(Number)]);
    expect((undo?.now ?? 0) - endedAt).toBeGreaterThanOrEqual(1_000);
  });
});
