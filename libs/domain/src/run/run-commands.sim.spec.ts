import { Simulation, scripted, UNKIND, type SimulationOptions } from '@foldwork/testing';
import { coarseStatus } from '../task/task-machine';

const THREE = `
workflow: three
tasks:
  - { id: validate, type: basic, action: step }
  - { id: upload, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1, output: { image_id: '123' } } }
  - { id: save, type: basic, action: step }
`;
const NESTED = `
workflow: nested
tasks:
  - id: both
    type: parallel
    tasks:
      - { id: left, type: composite, tasks: [ { id: a, type: basic, action: step, with: { ms: 1000 } }, { id: pause, type: wait, for: 1s }, { id: b, type: basic, action: step } ] }
      - { id: right, type: basic, action: step, with: { ms: 1000 } }
`;
const simulation = (options: SimulationOptions = {}): Simulation => new Simulation({ actions: { step: scripted, undo: scripted }, ...options });

describe('a failed run', () => {
  it('[S0-11] first pass COMPLETED/FAILED/PENDING; the second skips validate, runs upload again and then save', async () => {
    const sim = simulation();
    sim.define(THREE);
    const runId = await sim.request('three');
    await sim.settle();
    const coarse = async () => [...(await sim.run(runId)).tasks.values()].map(({ status }) => coarseStatus(status));
    expect(await coarse()).toEqual(['COMPLETED', 'FAILED', 'PENDING']);
    await sim.command(runId, { kind: 'retry' });
    await sim.settle();
    expect(await coarse()).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(['validate', 'upload', 'save'].map((task) => sim.world.callsOf(task))).toEqual([1, 2, 1]);
  });

  it('[S1-08] is tried again by itself after 30 s and not at 29 s', async () => {
    const sim = simulation();
    sim.define(THREE);
    const runId = await sim.request('three', { retry: { delayMs: 30_000, maximum: 1 } });
    await sim.pass(1_000);
    const failed = await sim.run(runId);
    expect(failed).toMatchObject({ status: 'failed', retryAt: (failed.endedAt ?? 0) + 30_000 });
    await sim.settle((failed.endedAt ?? 0) + 29_000);
    expect((await sim.run(runId)).status).toBe('failed');
    await sim.settle((failed.endedAt ?? 0) + 31_000);
    expect(await sim.run(runId)).toMatchObject({ status: 'succeeded', attempt: 2 });
  });

  it('[S1-09] goes RUNNING, FAILED, RUNNING again and COMPLETED', async () => {
    const sim = simulation();
    sim.define(THREE);
    const runId = await sim.request('three', { retry: { delayMs: 30_000, maximum: 1 } });
    await sim.settle();
    const types = (await sim.events(runId)).filter(({ task }) => task === '').map(({ type }) => type);
    expect(types).toEqual(['RunRequested', 'RunPlanned', 'RunFailed', 'RunRetried', 'RunCompleted']);
  });

  it('[S0-12] never reports COMPLETED while a task is not', async () => {
    const sim = simulation({ onDecision: (run) => {
      if (run.status === 'succeeded') expect([...run.tasks.values()].every(({ status }) => status === 'completed')).toBe(true);
    } });
    sim.define(THREE);
    const runId = await sim.request('three', { retry: { delayMs: 30_000, maximum: 1 } });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
  });

  it('[S1-10] a task whose action nobody has stays pending, a warning names it, the run is not completed', async () => {
    const sim = simulation();
    sim.missingActions.add('step');
    sim.define(THREE);
    const runId = await sim.request('three');
    await sim.pass(60_000);
    expect((await sim.run(runId)).status).toBe('running');
    expect((await sim.task(runId, 'validate')).status).toBe('pending');
    expect(sim.warnings[0]).toContain('validate');
    sim.missingActions.clear();
    await sim.pass(60_000);
    expect((await sim.task(runId, 'validate')).status).toBe('completed');
  });
});

describe('commands of people', () => {
  it('cancel takes active and pending tasks away; what executors still do is dropped', async () => {
    const sim = simulation();
    sim.define(NESTED);
    const runId = await sim.request('nested');
    await sim.pass(500);
    await sim.command(runId, { kind: 'cancel', reason: 'enough' });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('canceled');
    expect(new Set(Object.values(await sim.statuses(runId)))).toEqual(new Set(['canceled']));
    expect(sim.executors.flatMap(({ fenced }) => fenced).sort()).toEqual(['both/left/a', 'both/right']);
  });

  it('cancel ends a failed run that waits to be tried again', async () => {
    const sim = simulation();
    sim.define(THREE);
    const runId = await sim.request('three', { retry: { delayMs: 30_000, maximum: 1 } });
    await sim.pass(1_000);
    expect((await sim.run(runId)).status).toBe('failed');
    await sim.command(runId, { kind: 'cancel' });
    await sim.settle();
    expect([(await sim.run(runId)).status, sim.world.callsOf('upload')]).toEqual(['canceled', 1]);
    expect((await sim.command(runId, { kind: 'cancel' })).accepted).toBe(false);
  });

  it('pause lets what runs end and begins nothing; resume goes on, inside containers too', async () => {
    const sim = simulation();
    sim.define(NESTED);
    const runId = await sim.request('nested');
    await sim.pass(500);
    await sim.command(runId, { kind: 'pause' });
    await sim.pass(3_600_000);
    expect(await sim.statuses(runId)).toEqual({ both: 'in_progress', 'both/left': 'in_progress', 'both/left/a': 'completed', 'both/left/pause': 'pending', 'both/left/b': 'pending', 'both/right': 'completed' });
    await sim.command(runId, { kind: 'resume' });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
  });

  it('an escalated task waits for a person; resolving it lets the containers around it go on', async () => {
    const sim = simulation();
    sim.define(`
workflow: escalates
tasks:
  - id: both
    type: parallel
    strategy: fail_fast
    tasks:
      - { id: a, type: basic, action: step, escalate: [BAD], with: { failures: 9, code: BAD } }
      - { id: b, type: basic, action: step, with: { ms: 5000 } }
  - { id: after, type: basic, action: step }
`);
    const runId = await sim.request('escalates');
    await sim.settle();
    expect(await sim.statuses(runId)).toMatchObject({ both: 'failed', 'both/a': 'escalated', 'both/b': 'canceled', after: 'pending' });
    await sim.command(runId, { kind: 'resolve', task: 'both/a' as never, as: 'completed', output: { by: 'hand' }, reason: 'looked at it' });
    await sim.settle();
    expect(await sim.statuses(runId)).toMatchObject({ both: 'completed', 'both/a': 'completed', 'both/b': 'completed', after: 'completed' });
  });
});

describe('rollback of a run', () => {
  const ROLLBACK = `
workflow: publish
rollback: onFailure
tasks:
  - { id: draft, type: basic, action: step, with: { output: { draftId: d1 } }, undo: { action: undo, with: { id: '\${ output.draftId }' } } }
  - id: images
    type: collection
    items: '1..3'
    mode: sequential
    each: [ { id: upload, type: basic, action: step, with: { item: '\${ item }' }, undo: { action: undo, with: { failures: 1, item: '\${ item }' } } } ]
  - { id: publish, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 1 } }
`;
  it('undoes what finished, last first, tries an undo again, and keeps the reason', async () => {
    const sim = simulation();
    sim.define(ROLLBACK);
    const runId = await sim.request('publish', { retry: { delayMs: 30_000, maximum: 3 } });
    await sim.settle();
    expect(await sim.run(runId)).toMatchObject({ status: 'rolled_back', error: { message: 'failure 1' } });
    expect(sim.world.undone).toEqual(['images[2]', 'images[1]', 'images[0]', 'draft']);
    expect(sim.world.calls.find(({ task }) => task === 'images[1]!undo')?.input).toMatchObject({ item: 2 });
  });

  it('ends the same way whatever dies', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const sim = simulation({ seed, faults: UNKIND });
      sim.define(ROLLBACK);
      const runId = await sim.request('publish');
      await sim.settle();
      const run = await sim.run(runId);
      expect([seed, run.status]).toEqual([seed, 'rolled_back']);
      expect(run.rollback?.tasks).toEqual(['images[2]', 'images[1]', 'images[0]', 'draft']);
      expect(run.rollback?.tasks.map((path) => run.tasks.get(path)?.undo)).toEqual(Array(4).fill('completed'));
    }
  });

  it('an undo that cannot be done fails the run', async () => {
    const sim = simulation();
    sim.define(ROLLBACK.replace('failures: 1, item', 'failures: 99, item'));
    const runId = await sim.request('publish');
    await sim.settle();
    expect(await sim.run(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED' } });
  });

  it('asks verify before it undoes a once effect of which nobody knows whether it happened', async () => {
    for (const effect of [true, false]) {
      const sim = simulation();
      sim.define(`
workflow: doubt
rollback: onFailure
timeout: 2s
tasks:
  - { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { ms: 60000, effect: ${effect} }, undo: { action: undo } }
`);
      const runId = await sim.request('doubt');
      await sim.settle();
      expect((await sim.run(runId)).status).toBe('rolled_back');
      expect(sim.world.undone).toEqual(effect ? ['pay'] : []);
    }
  });
});

describe('lanes', () => {
  const IN_LANE = 'workflow: laned\ntasks:\n  - { id: work, type: basic, action: step, with: { ms: 1000, failures: "${ input.failures }" }, retry: { maximumAttempts: 1 } }';
  const lane = { key: 'shop/1', limit: 2 };
  it('at most as many runs as the limit, in the order of their requests, whatever dies', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const sim = simulation({ seed, ...(seed > 1 && { faults: UNKIND }) });
      sim.define(IN_LANE);
      const runIds = [];
      for (let n = 0; n < 7; n += 1) runIds.push(await sim.request('laned', { input: { failures: n === 2 ? 99 : 0 }, lane }));
      await sim.settle();
      const runs = await Promise.all(runIds.map((runId) => sim.run(runId)));
      expect([seed, runs.map(({ status }) => status)]).toEqual([seed, ['succeeded', 'succeeded', 'failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded']]);
      const admitted = (await sim.log.readAfter(0, 99_999)).filter(({ type }) => type === 'RunAdmitted').map(({ runId }) => runId);
      expect(admitted).toEqual(runIds);
      const overlap = runs.map((one) => runs.filter((other) => (other.startedAt ?? 0) <= (one.startedAt ?? 0) && (one.startedAt ?? 0) < (other.endedAt ?? 0)).length);
      expect(Math.max(...overlap)).toBeLessThanOrEqual(2);
    }
  });

  it('a queued run can be canceled; a failed one that is tried again queues again', async () => {
    const sim = simulation();
    sim.define(IN_LANE);
    const one = { key: 'k', limit: 1 };
    const [a, b, c] = [await sim.request('laned', { input: { failures: 1 }, lane: one }), await sim.request('laned', { input: { failures: 0 }, lane: one }), await sim.request('laned', { input: { failures: 0 }, lane: one })];
    await sim.pass(500);
    await sim.command(b, { kind: 'cancel' });
    await sim.pass(700);
    expect([(await sim.run(a)).status, (await sim.run(b)).status, (await sim.run(c)).status]).toEqual(['failed', 'canceled', 'running']);
    await sim.command(a, { kind: 'retry' });
    await sim.pass(300);
    expect((await sim.task(a, 'work')).status).toBe('pending');
    await sim.settle();
    expect([(await sim.run(a)).status, (await sim.run(c)).status]).toEqual(['succeeded', 'succeeded']);
    expect((await sim.run(a)).endedAt).toBeGreaterThan((await sim.run(c)).endedAt ?? 0);
  });
});
