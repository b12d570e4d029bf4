import { Simulation, scripted, UNKIND } from '@foldwork/testing';
import type { RunId } from '@foldwork/events/contracts';
import { parseDefinition } from '../built-in-language';

const WAIT = (fields: string, behind = ''): string => `
workflow: waits
tasks:
  - id: gate
    type: wait
${fields.replace(/^/gm, '    ')}
${behind || "  - { id: after, type: basic, action: step, with: { output: '${ tasks.gate.output }' } }"}
`;

const started = async (yaml: string, options: object = {}): Promise<{ sim: Simulation; runId: RunId }> => {
  const sim = new Simulation({ actions: { step: scripted }, ...options });
  sim.define(yaml);
  const runId = await sim.request('waits');
  await sim.pass(100);
  return { sim, runId };
};

describe('what a wait may say', () => {
  it.each([
    ['a blank name', "waitFor: ' '\ntimeout: 1h", 'invalid_value', 'waitFor'],
    ['an empty name', "waitFor: ''\ntimeout: 1h", 'invalid_value', 'waitFor'],
    ['a condition that is no CEL', 'waitFor: paid\ntimeout: 1h\ncondition: signal.payload.ok ==', 'expression_syntax', 'condition'],
    ['a timeout of zero', 'waitFor: paid\ntimeout: 0', 'invalid_duration', 'timeout'],
    ['a timeout of zero seconds', 'waitFor: paid\ntimeout: 0s', 'invalid_duration', 'timeout'],
    ['a negative timeout', 'waitFor: paid\ntimeout: -5', 'invalid_duration', 'timeout'],
    ['a malformed timeout', 'waitFor: paid\ntimeout: later', 'invalid_duration', 'timeout'],
    ...['action', 'agent', 'tool'].map((field) => [`an ${field}`, `waitFor: paid\ntimeout: 1h\n${field}: step`, 'unknown_field', field] as [string, string, string, string]),
  ])('[S3-07] refuses %s', (_case, fields, code, field) => {
    const { definition, diagnostics } = parseDefinition(WAIT(fields));
    expect([definition, diagnostics.map((each) => [each.code, each.pointer])]).toEqual([undefined, [[code, `/tasks/0/${field}`]]]);
  });

  it('[S3-07] a timeout in an expression is accepted and resolved when the wait begins', async () => {
    const yaml = WAIT("waitFor: paid\ntimeout: '${ input.limit }'");
    expect(parseDefinition(yaml).diagnostics).toEqual([]);
    for (const [limit, ms] of [['5s', 5_000], [1_500, 1_500], ['1 day 2 hours', 93_600_000]] as const) {
      const sim = new Simulation({ actions: { step: scripted } });
      sim.define(yaml);
      const runId = await sim.request('waits', { input: { limit } });
      await sim.pass(100);
      const gate = await sim.task(runId, 'gate');
      expect([gate.status, (gate.until ?? 0) - (gate.startedAt ?? 0)]).toEqual(['waiting', ms]);
      await sim.settle();
      expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TIMEOUT' }, endedAt: gate.until });
    }
  });

  it('[S3-07] one that turns out to be no duration fails the wait', async () => {
    for (const limit of ['soon', 0, -5, null]) {
      const sim = new Simulation({ actions: { step: scripted } });
      sim.define(WAIT("waitFor: paid\ntimeout: '${ input.limit }'"));
      const runId = await sim.request('waits', { input: { limit } });
      await sim.settle();
      expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
    }
  });
});

describe('wait for a signal', () => {
  it('[S3-08] completes with the payload when the condition is true, and the next task follows', async () => {
    const { sim, runId } = await started(WAIT("waitFor: paid\ntimeout: 1h\ncondition: signal.payload.amount > 10\nonSuccess: { next: after }"));
    expect((await sim.task(runId, 'gate')).status).toBe('waiting');
    await sim.signal(runId, 'paid', { amount: 20 });
    const at = sim.now;
    await sim.settle();
    expect(await sim.task(runId, 'gate')).toMatchObject({
      status: 'completed',
      output: { waitStatus: 'signaled', signal: { payload: { amount: 20 }, metadata: { signal: 'paid' } }, signalReceivedAt: new Date(at).toISOString() },
    });
    expect((await sim.task(runId, 'after')).status).toBe('completed');
  });

  it('[S3-09] ignores another name and a false condition: it goes on waiting and the timer stays', async () => {
    const { sim, runId } = await started(WAIT('waitFor: paid\ntimeout: 1h\ncondition: signal.payload.amount > 10'));
    const { until } = await sim.task(runId, 'gate');
    await sim.signal(runId, 'shipped', { amount: 20 });
    await sim.signal(runId, 'paid', { amount: 5 });
    await sim.pass(60_000);
    expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'waiting', until });
    await sim.settle();
    expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TIMEOUT' }, endedAt: until });
  });

  it('[S3-12] one signal id completes one wait, and correlation ids must agree', async () => {
    const { sim, runId } = await started(WAIT("waitFor: paid\ntimeout: 1h\ncorrelationId: order-1", '  - { id: second, type: wait, waitFor: paid, timeout: 1h }'));
    await sim.signal(runId, 'paid', { n: 0 }, { signalId: 'x', correlationId: 'order-2' });
    await sim.pass(1_000);
    expect((await sim.task(runId, 'gate')).status).toBe('waiting');
    await sim.signal(runId, 'paid', { n: 1 }, { signalId: 'y', correlationId: 'order-1' });
    await sim.signal(runId, 'paid', { n: 2 }, { signalId: 'y', correlationId: 'order-1' });
    await sim.pass(1_000);
    expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'completed', signalId: 'y' });
    expect(await sim.task(runId, 'second')).toMatchObject({ status: 'completed', signalId: 'x' });
    const before = (await sim.events(runId)).length;
    await sim.signal(runId, 'paid', {}, { signalId: 'late' });
    await sim.settle();
    expect((await sim.events(runId)).length).toBe(before + 1);
  });

  it('[S3-13] takes signals that came before it began, in their order', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define("workflow: waits\ntasks:\n  - { id: work, type: basic, action: step, with: { ms: 1000 } }\n  - { id: one, type: wait, waitFor: go, timeout: 1h }\n  - { id: two, type: wait, waitFor: go, timeout: 1h }");
    const runId = await sim.request('waits');
    await sim.signal(runId, 'go', { n: 1 });
    await sim.signal(runId, 'go', { n: 2 });
    await sim.settle();
    expect([(await sim.task(runId, 'one')).output, (await sim.task(runId, 'two')).output]).toMatchObject([{ signal: { payload: { n: 1 } } }, { signal: { payload: { n: 2 } } }]);
  });

  it('[S3-11] after its time fails with WAIT_TIMEOUT and takes onTimeout, else onError, else the run ends', async () => {
    const tasks = '  - { id: other, type: basic, action: step }\n  - { id: after, type: basic, action: step }';
    const { sim, runId } = await started(WAIT('waitFor: paid\ntimeout: 10s\nonTimeout: { next: after }\nonError: { next: other }', tasks));
    const { until } = await sim.task(runId, 'gate');
    await sim.pass(9_800);
    expect((await sim.task(runId, 'gate')).status).toBe('waiting');
    await sim.settle();
    expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TIMEOUT' }, endedAt: until });
    expect(await sim.statuses(runId)).toMatchObject({ other: 'skipped', after: 'completed' });
    const byError = await started(WAIT('waitFor: paid\ntimeout: 10s\nonError: { next: other }', '  - { id: after, type: basic, action: step, final: true }\n  - { id: other, type: basic, action: step }'));
    await byError.sim.settle();
    expect(await byError.sim.statuses(byError.runId)).toMatchObject({ other: 'completed', after: 'skipped' });
    const byNothing = await started(WAIT('waitFor: paid\ntimeout: 10s'));
    await byNothing.sim.settle();
    expect(await byNothing.sim.run(byNothing.runId)).toMatchObject({ status: 'failed', error: { code: 'WAIT_TIMEOUT' } });
  });

  it('[S3-10] the processor runs on each signal: the condition and the result see its output; its failure fails the wait', async () => {
    const processor = "processor: { type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '${ signal.payload.failures }', output: { double: '${ signal.payload.n * 2 }' } } }";
    const { sim, runId } = await started(WAIT(`waitFor: paid\ntimeout: 1h\ncondition: processor.output.double > 5\n${processor}`));
    await sim.signal(runId, 'paid', { n: 1, failures: 0 });
    await sim.signal(runId, 'paid', { n: 3, failures: 0 });
    await sim.signal(runId, 'paid', { n: 4, failures: 0 });
    await sim.pass(5_000);
    expect(await sim.statuses(runId)).toMatchObject({ gate: 'completed', 'gate[0]': 'completed', 'gate[1]': 'completed', after: 'completed' });
    expect((await sim.task(runId, 'gate')).output).toMatchObject({ signal: { payload: { n: 3 } }, processorOutput: { double: 6 } });
    const bad = await started(WAIT(`waitFor: paid\ntimeout: 1h\n${processor}`));
    await bad.sim.signal(bad.runId, 'paid', { n: 1, failures: 1 });
    await bad.sim.settle();
    expect(await bad.sim.task(bad.runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TASK_ERROR' } });
  });

  it('a condition that is no condition fails the wait', async () => {
    const { sim, runId } = await started(WAIT('waitFor: paid\ntimeout: 1h\ncondition: signal.payload.amount'));
    await sim.signal(runId, 'paid', { amount: 5 });
    await sim.settle();
    expect(await sim.task(runId, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TASK_ERROR' } });
  });

  it('any takes the first that fits, all needs one signal for each', async () => {
    const any = await started(WAIT("any: [ { signal: a, condition: 'signal.payload.n > 1' }, b ]\ntimeout: 1h"));
    await any.sim.signal(any.runId, 'a', { n: 1 });
    await any.sim.signal(any.runId, 'b', { n: 7 });
    await any.sim.settle();
    expect((await any.sim.task(any.runId, 'gate')).output).toMatchObject({ signal: { payload: { n: 7 } } });
    const all = await started(WAIT("all: [ a, { signal: a, condition: 'signal.payload.n == 1' } ]\ntimeout: 1h"));
    await all.sim.signal(all.runId, 'a', { n: 1 });
    await all.sim.pass(1_000);
    expect((await all.sim.task(all.runId, 'gate')).status).toBe('waiting');
    await all.sim.signal(all.runId, 'a', { n: 2 });
    await all.sim.settle();
    expect((await all.sim.task(all.runId, 'gate')).output).toMatchObject({ signals: [{ payload: { n: 1 } }, { payload: { n: 2 } }] });
  });

  it('ends the same way whatever dies', async () => {
    const processor = "processor: { type: basic, action: step, with: { output: { double: '${ signal.payload.n * 2 }' } } }";
    for (let seed = 1; seed <= 60; seed += 1) {
      const sim = new Simulation({ seed, faults: UNKIND, actions: { step: scripted } });
      sim.define(WAIT(`waitFor: paid\ntimeout: 1h\ncondition: processor.output.double > 5\n${processor}`));
      const runId = await sim.request('waits');
      for (const n of [1, 3, 4]) sim.at(n * 50, () => sim.signal(runId, 'paid', { n }));
      await sim.settle();
      expect([seed, await sim.statuses(runId)]).toEqual([seed, { gate: 'completed', 'gate[0]': 'completed', 'gate[1]': 'completed', after: 'completed' }]);
    }
  });
});

describe('wait for a time', () => {
  it('for a span and until a moment', async () => {
    const { sim, runId } = await started(WAIT("for: '${ \"1m30s\" }'"));
    await sim.settle();
    const gate = await sim.task(runId, 'gate');
    expect(gate).toMatchObject({ status: 'completed', output: { waitStatus: 'elapsed' } });
    expect((gate.endedAt ?? 0) - (gate.startedAt ?? 0)).toBe(90_000);
    const until = await started(WAIT('until: 2026-01-01T00:05:00Z'));
    await until.sim.settle();
    expect((await until.sim.task(until.runId, 'gate')).endedAt).toBe(Date.UTC(2026, 0, 1, 0, 5));
  });

  it('an approval is refused with a code of its own instead of waiting for ever', async () => {
    const { sim, runId } = await started(WAIT('approval: { roles: [boss], title: Really? }\ntimeout: 1h'));
    await sim.settle();
    expect(await sim.run(runId)).toMatchObject({ status: 'failed', error: { code: 'APPROVAL_NOT_AVAILABLE' } });
  });
});
