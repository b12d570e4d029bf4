import { Simulation, scripted, UNKIND, type SimulatedAction } from '@foldwork/testing';

const ORDERED = `
workflow: ordered
tasks:
  - id: all
    type: composite
    tasks:
      - { id: first, type: basic, action: step, with: { output: { n: 1 } } }
      - { id: second, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '\${ input.failures }', output: { n: '\${ tasks.first.output.n + 1 }' } } }
      - { id: third, type: basic, action: step, with: { output: { n: '\${ previous.n + 1 }' } } }
`;

describe('composite', () => {
  it('[S3-39] runs its children in order, each seeing the one before, and stops at a failure', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(ORDERED);
    const good = await sim.request('ordered', { input: { failures: 0 } });
    const bad = await sim.request('ordered', { input: { failures: 1 } });
    await sim.settle();
    expect((await sim.task(good, 'all')).output).toEqual({ outputs: { first: { n: 1 }, second: { n: 2 }, third: { n: 3 } } });
    expect(await sim.statuses(bad)).toEqual({ all: 'failed', 'all/first': 'completed', 'all/second': 'failed', 'all/third': 'pending' });
    expect((await sim.task(bad, 'all')).error).toMatchObject({ code: 'child_task_failure', message: 'second: failure 1' });
  });

  it('[S3-41] goes on at child 2 when everything died after child 1', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(ORDERED.replace('with: { failures', 'with: { ms: 500, failures'));
    const runId = await sim.request('ordered', { input: { failures: 0 } });
    await sim.pass(100);
    expect(await sim.statuses(runId)).toMatchObject({ 'all/first': 'completed', 'all/second': 'in_progress' });
    sim.killPlanner();
    sim.killExecutor(0);
    sim.killExecutor(1);
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
    expect(sim.world.callsOf('all/first')).toBe(1);
    expect((await sim.task(runId, 'all/second')).attempt).toBe(2);
  });

  it('tries again as a whole: what is completed inside stays completed', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(ORDERED.replace('type: composite', 'type: composite\n    retry: { maximumAttempts: 3 }'));
    const runId = await sim.request('ordered', { input: { failures: 2 } });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
    expect([sim.world.callsOf('all/first'), sim.world.callsOf('all/second'), (await sim.task(runId, 'all')).attempt]).toEqual([1, 3, 3]);
  });

  it('nests to depth 20', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    let inner = '{ id: t19, type: basic, action: step, with: { output: { deep: true } } }';
    for (let depth = 18; depth >= 0; depth -= 1) inner = `{ id: t${depth}, type: composite, tasks: [ ${inner} ] }`;
    sim.define(`workflow: deep\ntasks: [ ${inner} ]`);
    const runId = await sim.request('deep');
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
    expect(Object.keys(await sim.statuses(runId))).toHaveLength(20);
  });

  it('stops as a whole at its time limit', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(ORDERED.replace('type: composite', 'type: composite\n    timeout: 2s').replace('with: { failures', 'with: { ms: 9000, failures'));
    const runId = await sim.request('ordered', { input: { failures: 0 } });
    await sim.settle();
    expect(await sim.task(runId, 'all')).toMatchObject({ status: 'timed_out', error: { code: 'TASK_TIMEOUT' } });
    expect(await sim.statuses(runId)).toMatchObject({ 'all/second': 'canceled', 'all/third': 'canceled' });
  });

  it('begins again what its time limit took away from it when it is tried again, and nothing that is completed', async () => {
    const slowOnce: SimulatedAction = ({ call }) => ({ output: { n: call }, ms: call === 1 ? 9_000 : 1 });
    const sim = new Simulation({ actions: { step: scripted, slow: slowOnce } });
    sim.define(`
workflow: limited
tasks:
  - id: all
    type: composite
    timeout: 2s
    retry: { maximumAttempts: 2 }
    tasks:
      - { id: first, type: basic, action: step }
      - { id: inner, type: composite, tasks: [ { id: slow, type: basic, action: slow }, { id: behind, type: basic, action: step } ] }
      - { id: last, type: basic, action: step }
`);
    const runId = await sim.request('limited');
    await sim.pass(2_500);
    expect(await sim.statuses(runId)).toMatchObject({ all: 'timed_out', 'all/first': 'completed', 'all/inner': 'canceled', 'all/inner/slow': 'canceled', 'all/inner/behind': 'canceled', 'all/last': 'canceled' });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
    expect(new Set(Object.values(await sim.statuses(runId)))).toEqual(new Set(['completed']));
    expect([sim.world.callsOf('all/first'), sim.world.callsOf('all/inner/slow'), sim.world.callsOf('all/last')]).toEqual([1, 2, 1]);
  });

  describe('with rollback', () => {
    const SCOPE = `
workflow: scope
tasks:
  - id: all
    type: composite
    rollback: onFailure
    onError: { next: after }
    tasks:
      - { id: a, type: basic, action: step, with: { output: { n: 1 } }, undo: { action: unstep, with: { n: '\${ output.n }' } } }
      - { id: b, type: basic, action: step, undo: { by: a } }
      - { id: c, type: basic, action: step, undo: { action: unstep } }
      - { id: d, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 } }
  - { id: after, type: basic, action: step }
`;
    it('undoes what finished, last first, then ends as failed', async () => {
      const sim = new Simulation({ actions: { step: scripted, unstep: scripted } });
      sim.define(SCOPE);
      const runId = await sim.request('scope');
      await sim.settle();
      expect(sim.world.undone).toEqual(['all/c', 'all/a']);
      expect(sim.world.calls.find(({ task }) => task === 'all/a!undo')?.input).toEqual({ n: 1 });
      expect(await sim.task(runId, 'all')).toMatchObject({ status: 'failed', error: { code: 'child_task_failure' } });
      expect((await sim.run(runId)).status).toBe('succeeded');
    });

    it('hands an undo out again as soon as the executor that held it is lost', async () => {
      const sim = new Simulation({ actions: { step: scripted, unstep: ({ call }) => ({ output: null, ms: call === 1 ? 600_000 : 1 }) } });
      sim.define(SCOPE);
      const runId = await sim.request('scope');
      await sim.pass(500);
      const held = await sim.task(runId, 'all/c');
      expect(held.undo).toBe('started');
      await sim.planner.decide(runId); // it has seen that the undo began, and has nothing to do
      sim.killExecutor(Number(held.executor?.at('executor'.length)) - 1);
      await sim.pass(1_500); // its lease is one second
      expect(await sim.task(runId, 'all/c')).toMatchObject({ undo: 'completed', undoAttempt: 2 });
    });

    it('also when processes die', async () => {
      for (let seed = 1; seed <= 40; seed += 1) {
        const sim = new Simulation({ seed, faults: UNKIND, actions: { step: scripted, unstep: scripted } });
        sim.define(SCOPE);
        const runId = await sim.request('scope');
        await sim.settle();
        expect(await sim.task(runId, 'all')).toMatchObject({ status: 'failed', rollback: { tasks: ['all/c', 'all/a'] } });
        expect([(await sim.task(runId, 'all/c')).undo, (await sim.task(runId, 'all/a')).undo]).toEqual(['completed', 'completed']);
      }
    });
  });

  describe('with a workflow', () => {
    const PARENT = `
workflow: parent
tasks:
  - id: sub
    type: composite
    workflow: child
    retry: { maximumAttempts: 2 }
    with: { failures: '\${ input.failures }' }
  - { id: after, type: basic, action: step, with: { output: '\${ tasks.sub.output }' } }
`;
    const CHILD = `
workflow: child
tasks:
  - { id: first, type: basic, action: step }
  - { id: second, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '\${ input.failures }', output: { done: true } } }
output: '\${ tasks.second.output }'
`;
    const parent = async (failures: number, options: object = {}) => {
      const sim = new Simulation({ actions: { step: scripted }, ...options });
      sim.define(CHILD);
      sim.define(PARENT);
      const runId = await sim.request('parent', { input: { failures } });
      return { sim, runId };
    };

    it('runs it as a child run and takes its output', async () => {
      const { sim, runId } = await parent(0);
      await sim.settle();
      expect(await sim.task(runId, 'sub')).toMatchObject({ status: 'completed', output: { done: true } });
      expect(await sim.task(runId, 'after')).toMatchObject({ status: 'completed', output: { done: true } });
    });

    it('retries the failed child run: what is done in it stays done', async () => {
      const { sim, runId } = await parent(1);
      await sim.settle();
      const sub = await sim.task(runId, 'sub');
      expect(sub).toMatchObject({ status: 'completed', attempt: 2 });
      const child = await sim.run(sub.childRun?.runId as never);
      expect(child).toMatchObject({ status: 'succeeded', attempt: 2 });
      expect(sim.world.calls.filter(({ task }) => task === 'first')).toHaveLength(1);
    });

    it('fails when the child run fails for good, and when the workflow is unknown', async () => {
      const { sim, runId } = await parent(5);
      await sim.settle();
      expect(await sim.task(runId, 'sub')).toMatchObject({ status: 'failed', error: { code: 'ACTION_FAILED', message: 'failure 2' } });
      const other = new Simulation({ actions: { step: scripted } });
      other.define(PARENT);
      const lonely = await other.request('parent', { input: { failures: 0 } });
      await other.settle();
      expect(await other.task(lonely, 'sub')).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_UNKNOWN' } });
    });

    it('cancels the child run when the parent is canceled', async () => {
      const sim = new Simulation({ actions: { step: scripted } });
      sim.define(CHILD.replace("with: { failures", "with: { ms: 60000, failures"));
      sim.define(PARENT);
      const runId = await sim.request('parent', { input: { failures: 0 } });
      await sim.pass(200);
      const { childRun } = await sim.task(runId, 'sub');
      await sim.command(runId, { kind: 'cancel' });
      await sim.settle();
      expect([(await sim.run(runId)).status, (await sim.run(childRun?.runId as never)).status]).toEqual(['canceled', 'canceled']);
    });

    it('ends the same way whatever dies', async () => {
      for (let seed = 1; seed <= 60; seed += 1) {
        const { sim, runId } = await parent(1, { seed, faults: UNKIND });
        await sim.settle();
        expect([seed, (await sim.run(runId)).status]).toEqual([seed, 'succeeded']);
        expect(new Set((await sim.log.readAfter(0, 9999)).filter(({ type }) => type === 'RunRequested').map(({ runId: id }) => id)).size).toBe(2);
      }
    });
  });
});
