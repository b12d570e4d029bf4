import { Simulation, scripted, UNKIND, type SimulationOptions } from '@foldwork/testing';
import type { Json } from '@foldwork/events/contracts';

const runWith = async (tasks: string, input: Json = {}, options: SimulationOptions = {}) => {
  const sim = new Simulation({ actions: { step: scripted }, ...options });
  sim.define(`workflow: walk\ntasks:\n${tasks.replace(/^/gm, '  ')}`);
  const runId = await sim.request('walk', { input });
  await sim.settle();
  return { sim, runId, run: await sim.run(runId), statuses: await sim.statuses(runId) };
};

describe('the way through a list', () => {
  it('[S3-47] next and with reach the next task; final stops; without onError the run fails with the message of the task', async () => {
    const jump = await runWith(`
- { id: a, type: basic, action: step, with: { output: { n: 1 } }, onSuccess: { next: c, with: { from: '\${ output.n }' } }, onError: { next: b } }
- { id: b, type: basic, action: step }
- { id: c, type: basic, action: step, with: { own: 1, from: 0 } }`);
    expect(jump.sim.world.calls.map(({ task, input }) => [task, input])).toEqual([['a', { output: { n: 1 } }], ['c', { own: 1, from: 1 }]]);
    expect(jump.statuses).toEqual({ a: 'completed', b: 'skipped', c: 'completed' });
    const failing = await runWith('- { id: a, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 } }\n- { id: b, type: basic, action: step }');
    expect(failing.run).toMatchObject({ status: 'failed', failedTask: 'a', error: { code: 'ACTION_FAILED', message: 'failure 1' } });
    const final = await runWith('- { id: a, type: basic, action: step, final: true, onError: { next: b } }\n- { id: b, type: basic, action: step }');
    expect(final).toMatchObject({ run: { status: 'succeeded' }, statuses: { a: 'completed', b: 'skipped' } });
  });

  it('a failure that a transition deals with does not fail the run; without next the list goes on', async () => {
    const failing = "type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 }";
    const jump = await runWith(`- { id: a, ${failing}, onError: { next: c, with: { why: '\${ tasks.a.error.message }' } } }\n- { id: b, type: basic, action: step }\n- { id: c, type: basic, action: step }`.replace("type: basic, action: step }\n- { id: c", "type: basic, action: step, onSuccess: { next: c } }\n- { id: c"));
    expect(jump).toMatchObject({ run: { status: 'succeeded' }, statuses: { a: 'failed', b: 'skipped', c: 'completed' } });
    expect(jump.sim.world.calls.at(-1)?.input).toEqual({ why: 'failure 1' });
    const on = await runWith(`- { id: a, ${failing}, onError: { with: { x: 1 } } }\n- { id: b, type: basic, action: step }`);
    expect(on).toMatchObject({ run: { status: 'succeeded' }, statuses: { a: 'failed', b: 'completed' } });
  });

  it('a retried run goes on at the task that failed it, not at failures that were dealt with', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(`
workflow: walk
tasks:
  - { id: a, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 }, onError: { with: {} } }
  - { id: b, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 } }
`);
    const runId = await sim.request('walk');
    await sim.settle();
    expect((await sim.command(runId, { kind: 'retry' })).accepted).toBe(true);
    await sim.settle();
    expect([await sim.statuses(runId), sim.world.callsOf('a'), sim.world.callsOf('b')]).toEqual([{ a: 'failed', b: 'completed' }, 1, 2]);
  });

  const LOOP = `
- { id: check, type: basic, action: step, maxVisits: 3, with: { output: '\${ input.n }' } }
- { id: body, type: basic, action: step }
- { id: again, type: router, condition: 'tasks.check.output < input.until ? "more" : "done"', routes: { more: check, done: after } }
- { id: after, type: basic, action: step }`;
  it('a loop visits its tasks again, each visit a task of its own, and is bounded', async () => {
    const looping = await runWith(LOOP, { n: 1, until: 2 });
    expect(looping.run).toMatchObject({ status: 'failed', error: { code: 'MAX_VISITS' } });
    expect(Object.keys(looping.statuses).filter((path) => path.startsWith('body'))).toEqual(['body', 'body#2', 'body#3']);
    expect((await runWith(LOOP, { n: 2, until: 2 })).statuses).toEqual({ check: 'completed', body: 'completed', again: 'completed', after: 'completed' });
  });

  it('[S3-49] sleep delays the successor by that time', async () => {
    const { sim, runId } = await runWith('- { id: a, type: basic, action: step, sleep: 1m30s }\n- { id: b, type: basic, action: step }');
    const [a, b] = [await sim.task(runId, 'a'), await sim.task(runId, 'b')];
    expect((b.startedAt ?? 0) - (a.endedAt ?? 0)).toBeGreaterThanOrEqual(90_000);
    expect((b.startedAt ?? 0) - (a.endedAt ?? 0)).toBeLessThan(90_100);
  });

  it('a task whose condition is false is skipped, its transitions with it', async () => {
    const { statuses } = await runWith("- { id: a, type: basic, action: step, when: 'input.go', onSuccess: { next: c }, final: false }\n- { id: b, type: basic, action: step }\n- { id: c, type: basic, action: step }".replace(', final: false', ''), { go: false });
    expect(statuses).toEqual({ a: 'skipped', b: 'completed', c: 'completed' });
  });

  it('[S3-48] tries at 0, 1 and 3 seconds, then fails; an error that is final fails at once', async () => {
    const at: number[] = [];
    const { run } = await runWith('- { id: a, type: basic, action: step, retry: { maximumAttempts: 3, initialInterval: 1s, backoffCoefficient: 2 } }', {}, {
      actions: { step: ({ now }) => (at.push(now), { error: { code: 'NO', message: 'no' } }) },
    });
    expect(run.status).toBe('failed');
    expect(at.map((time) => Math.round((time - (at[0] ?? 0)) / 1000))).toEqual([0, 1, 3]);
    const final = await runWith('- { id: a, type: basic, action: step, retry: { nonRetryableErrors: [BAD] }, with: { failures: 9, code: BAD } }');
    expect(final.sim.world.callsOf('a')).toBe(1);
  });

  it('a task that nobody picks up in time is timed out and tried again as its policy says', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.missingActions.add('step');
    sim.define('workflow: walk\ntasks:\n  - { id: a, type: basic, action: step, scheduleTimeout: 10s, retry: { maximumAttempts: 2 } }');
    const runId = await sim.request('walk');
    await sim.settle();
    expect(await sim.task(runId, 'a')).toMatchObject({ status: 'timed_out', attempt: 2, error: { code: 'SCHEDULE_TIMEOUT' } });
    expect((await sim.run(runId)).status).toBe('failed');
  });

  it('the same story whatever is lost, doubled or dies', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { run, sim, statuses } = await runWith(LOOP, { n: 2, until: 2 }, { seed, faults: UNKIND });
      expect([seed, run.status, statuses]).toEqual([seed, 'succeeded', { check: 'completed', body: 'completed', again: 'completed', after: 'completed' }]);
      expect(await sim.stuck()).toEqual([]);
    }
  });
});
