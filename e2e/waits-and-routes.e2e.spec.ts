import type { System } from './harness/system';
import { workflowsThroughout } from './harness/throughout';
import type { TaskAnswer } from './harness/api';
import { until } from './harness/until';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let system: System;
let flows: Workflows;
workflowsThroughout((...started) => ([system, flows] = started));

/** Exact while the machine keeps up, later when it does not, never less. */
const waitedMs = (task: TaskAnswer | undefined): number => Date.parse(task?.finishedAt ?? '') - Date.parse(task?.startedAt ?? '');

/** At that moment, or later on a machine that does not keep up; never before. */
const isDueAt = (task: TaskAnswer | undefined, moment: string): boolean => {
  const lateMs = Date.parse(task?.finishedAt ?? '') - Date.parse(moment);
  return lateMs >= 0 && lateMs < 5_000;
};

const wait = (name: string, fields: string, behind = '  - { id: after, type: basic, action: core.log }'): string => `
workflow: wait.${name}
tasks:
  - id: gate
    type: wait
${fields.replace(/^/gm, '    ')}
${behind}
`;
const waiting = async (yaml: string, input: object = {}): Promise<string> => {
  const run = await flows.start(yaml, input);
  await flows.taskIs(run, 'gate', 'waiting');
  return run;
};
const taken = async (answer: Promise<{ readonly status: number }>): Promise<void> => expect((await answer).status).toBe(202);
const signalsOf = async (run: string): Promise<number> => (await system.api.events(run)).filter(({ type }) => type === 'SignalReceived').length;

describe('wait', () => {
  it.each([
    ['a blank signal', 'waitFor: " "\ntimeout: 1m', 'invalid_value'],
    ['a condition that is no CEL', 'waitFor: go\ntimeout: 1m\ncondition: "signal.payload.ok =="', 'expression_syntax'],
    ['a time limit of zero', 'waitFor: go\ntimeout: 0', 'invalid_duration'],
    ['a negative time limit', 'waitFor: go\ntimeout: -5', 'invalid_duration'],
    ['a malformed time limit', 'waitFor: go\ntimeout: later', 'invalid_duration'],
    ['an action', 'waitFor: go\ntimeout: 1m\naction: core.log', 'unknown_field'],
    ['an agent', 'waitFor: go\ntimeout: 1m\nagent: bob', 'unknown_field'],
    ['a tool', 'waitFor: go\ntimeout: 1m\ntool: saw', 'unknown_field'],
  ])('[S3-07] with %s is refused', async (_what, fields, code) => {
    expect(await flows.faultsOf(wait('wrong', fields))).toMatchObject([{ code }]);
  });

  it('[S3-07] a time limit in an expression is resolved when the wait begins', async () => {
    const done = await flows.play(wait('templated', "waitFor: go\ntimeout: '${ string(input.ms) + \"ms\" }'"), { ms: 60 });
    const gate = taskOf(done, 'gate');
    expect([gate?.error?.code, waitedMs(gate) >= 60, waitedMs(gate) < 5_000]).toEqual(['WAIT_TIMEOUT', true, true]);
  });

  it('[S3-09] stays as it is after a signal of another name, and after one whose condition is false: its timer too', async () => {
    const run = await waiting(wait('ignores', 'waitFor: paid\ntimeout: 700ms\ncondition: signal.payload.amount > 10'));
    const { until: due } = taskOf(await system.api.detail(run), 'gate') as unknown as { until: string };
    await taken(flows.signal(run, 'shipped', { payload: { amount: 20 } }));
    await taken(flows.signal(run, 'paid', { payload: { amount: 5 } }));
    expect(taskOf(await system.api.detail(run), 'gate')).toMatchObject({ status: 'waiting', until: due });
    const done = await flows.ended(run);
    expect(taskOf(done, 'gate')).toMatchObject({ status: 'failed', error: { code: 'WAIT_TIMEOUT' } });
    expect(isDueAt(taskOf(done, 'gate'), due)).toBe(true);
  });

  const PROCESSED = wait('processor', `waitFor: paid
timeout: 1m
condition: processor.output.double > 5
processor: { type: basic, action: world.call, retry: { maximumAttempts: 1 }, with: { failFirst: '\${ signal.payload.failures }' }, outputs: { double: '\${ signal.payload.n * 2 }' } }`);

  it('[S3-10] its processor runs on each signal; the condition and the result have its output', async () => {
    const run = await waiting(PROCESSED);
    await taken(flows.signal(run, 'paid', { payload: { n: 1, failures: 0 } }));
    expect(statusesOf(await flows.taskIs(run, 'gate[0]', 'completed'))).toMatchObject({ gate: 'waiting' });
    await taken(flows.signal(run, 'paid', { payload: { n: 3, failures: 0 } }));
    const done = await flows.ended(run);
    expect([done.status, system.world.callsOf(run).map(({ task }) => task)]).toEqual(['succeeded', ['gate[0]', 'gate[1]']]);
    expect(taskOf(done, 'gate')?.output).toMatchObject({ signal: { payload: { n: 3 } }, processorOutput: { double: 6 } });
  });

  it('[S3-10] fails when its processor does', async () => {
    const run = await waiting(PROCESSED);
    await taken(flows.signal(run, 'paid', { payload: { n: 3, failures: 1 } }));
    expect((await flows.ended(run)).error?.code).toBe('WAIT_TASK_ERROR');
  });

  const AFTER = '  - { id: after, type: basic, action: core.log, final: true, onError: { next: other } }\n  - { id: other, type: basic, action: core.log }';
  it.each([
    ['onTimeout', 'onTimeout: { next: other }\nonError: { next: after }', 'succeeded', { gate: 'failed', after: 'skipped', other: 'completed' }],
    ['else onError', 'onError: { next: other }', 'succeeded', { gate: 'failed', after: 'skipped', other: 'completed' }],
    ['else nothing', '', 'failed', { gate: 'failed', after: 'pending', other: 'pending' }],
  ])('[S3-11] after its time it fails with WAIT_TIMEOUT and goes where it should: %s', async (_what, fields, status, statuses) => {
    const done = await flows.play(wait('timeout', `waitFor: paid\ntimeout: 30ms\n${fields}`, AFTER));
    const gate = taskOf(done, 'gate');
    expect([done.status, statusesOf(done), gate?.error?.code]).toEqual([status, statuses, 'WAIT_TIMEOUT']);
    expect(waitedMs(gate)).toBeGreaterThanOrEqual(30);
  });

  it('[S3-12] one signal id completes one wait, another correlation id none', async () => {
    const run = await waiting(wait('once', 'waitFor: paid\ntimeout: 1m\ncorrelationId: "order-${ input.order }"', '  - { id: second, type: wait, waitFor: paid, timeout: 1m }'), { order: 1 });
    await taken(flows.signal(run, 'paid', { signalId: 'x', correlationId: 'order-2', payload: { n: 0 } }));
    await taken(flows.signal(run, 'paid', { signalId: 'y', correlationId: 'order-1', payload: { n: 1 } }));
    await taken(flows.signal(run, 'paid', { signalId: 'y', correlationId: 'order-1', payload: { n: 2 } }));
    const done = await flows.ended(run);
    expect([taskOf(done, 'gate')?.output, taskOf(done, 'second')?.output]).toMatchObject([{ signal: { payload: { n: 1 } } }, { signal: { payload: { n: 0 } } }]);
    expect(await signalsOf(run)).toBe(2);
  });

  it('[S3-12] a run that has ended takes no signal, and stays as it is', async () => {
    const { runId, version } = await flows.play('workflow: wait.none\ntasks:\n  - { id: only, type: basic, action: core.log }');
    const refused = await flows.signal(runId, 'paid');
    expect([refused.status, refused.body]).toMatchObject([409, { error: 'run_not_signalable' }]);
    expect((await system.api.detail(runId)).version).toBe(version);
  });

  it('[S3-12] a signal to a run in which nothing waits yet changes no task', async () => {
    const run = await flows.start('workflow: wait.busy\ntasks:\n  - { id: only, type: basic, action: world.call, with: { gate: busy } }');
    await system.world.when(() => system.world.callsOf(run).length === 1);
    await taken(flows.signal(run, 'paid'));
    const { tasks } = await system.api.detail(run);
    expect(tasks).toMatchObject([{ path: 'only', status: 'in_progress', attempt: 1 }]);
    system.world.openGate('busy');
    expect((await flows.ended(run)).status).toBe('succeeded');
  });

  it('[S3-13] takes signals that came before it began, in the order in which they came', async () => {
    const run = await flows.start('workflow: wait.early\ntasks:\n  - { id: work, type: basic, action: world.call, with: { gate: early } }\n  - { id: one, type: wait, waitFor: go, timeout: 1m }\n  - { id: two, type: wait, waitFor: go, timeout: 1m }');
    await system.world.when(() => system.world.callsOf(run).length === 1);
    for (const n of [1, 2]) await taken(flows.signal(run, 'go', { payload: { n } }));
    system.world.openGate('early');
    const done = await flows.ended(run);
    expect([taskOf(done, 'one')?.output, taskOf(done, 'two')?.output]).toMatchObject([{ signal: { payload: { n: 1 } } }, { signal: { payload: { n: 2 } } }]);
  });

  it('any takes the first that fits, all one signal for each', async () => {
    const any = await waiting(wait('any', "any: [ { signal: a, condition: 'signal.payload.n > 1' }, b ]\ntimeout: 1m"));
    await taken(flows.signal(any, 'a', { payload: { n: 1 } }));
    await taken(flows.signal(any, 'b', { payload: { n: 7 } }));
    expect(taskOf(await flows.ended(any), 'gate')?.output).toMatchObject({ signal: { payload: { n: 7 } } });
    const all = await waiting(wait('all', 'all: [ a, b ]\ntimeout: 1m'));
    await taken(flows.signal(all, 'b', { payload: { n: 1 } }));
    expect(taskOf(await system.api.detail(all), 'gate')?.status).toBe('waiting');
    await taken(flows.signal(all, 'a', { payload: { n: 2 } }));
    expect(taskOf(await flows.ended(all), 'gate')?.output).toMatchObject({ signals: expect.arrayContaining([expect.objectContaining({ payload: { n: 1 } }), expect.objectContaining({ payload: { n: 2 } })]) });
  });

  it('[S3-51] a condition that gives no truth fails it', async () => {
    const run = await waiting(wait('no-truth', 'waitFor: paid\ntimeout: 1m\ncondition: signal.payload.amount'));
    await taken(flows.signal(run, 'paid', { payload: { amount: 5 } }));
    expect((await flows.ended(run)).error?.code).toBe('WAIT_TASK_ERROR');
  });

  it('for a span, and until a moment', async () => {
    const span = taskOf(await flows.play(wait('for', 'for: 50ms')), 'gate');
    expect([span?.output, waitedMs(span) >= 50]).toEqual([{ waitStatus: 'elapsed' }, true]);
    const at = new Date(Date.now() + 150).toISOString();
    const gate = taskOf(await flows.play(wait('until', "until: '${ input.at }'"), { at }), 'gate');
    expect([gate?.status, isDueAt(gate, at)]).toEqual(['completed', true]);
  });
});

describe('signal', () => {
  const SEND = (fields: string): string => `workflow: signal.send\ntasks:\n  - { id: tell, type: signal, signal: { ${fields} } }`;

  it('[S3-14] sends what it is told to, once, and says so; {} without a payload', async () => {
    await flows.publish('workflow: signal.heard\ntriggers: [ { signal: told } ]\ntasks:\n  - { id: note, type: basic, action: world.call, with: { output: \'${ input }\' } }\noutput: \'${ input }\'');
    const started = async (run: string) => {
      const [target = ''] = (taskOf(await flows.ended(run), 'tell')?.output as { targets: string[] }).targets;
      return flows.ended(target);
    };
    const run = await flows.start(SEND("id: told, payload: { n: '${ input.n + 1 }' }"), { n: 1 });
    expect((await started(run)).output).toEqual({ n: 2 });
    expect(taskOf(await system.api.detail(run), 'tell')?.output).toMatchObject({ signalDispatched: true, signalId: expect.stringMatching(/^[0-9a-f]{32}$/), targets: [expect.any(String)] });
    expect((await started(await flows.start(SEND('id: told')))).output).toEqual({});
    await until('a list of both', async () => {
      const { body } = await system.api.call('GET', '/orchestrator/runs?workflow=signal.heard');
      return (body as { runs: unknown[] }).runs.length === 2;
    });
  });

  it('[S3-14] without an id, or with a blank one, it is refused', async () => {
    expect(await flows.faultsOf(SEND('payload: {}'))).toMatchObject([{ code: 'missing_field', line: 3 }]);
    expect(await flows.faultsOf(SEND('id: " "'))).toMatchObject([{ code: 'invalid_value', line: 3 }]);
  });

  it('[S3-14] that cannot be sent fails the task', async () => {
    const done = await flows.play(SEND("id: told, to: { run: '${ input.run }' }"), { run: 'nobody' });
    expect([done.status, taskOf(done, 'tell')?.status, taskOf(done, 'tell')?.error?.code]).toEqual(['failed', 'failed', 'EXPRESSION_ERROR']);
  });
});

describe('router', () => {
  const BY_KEY = (more = ''): string => `
workflow: router.by-key
tasks:
  - { id: route, type: router, condition: input.value, routes: { a: first, b: second, 'true': second, '2': third }, onSuccess: { next: first }${more} }
  - { id: first, type: basic, action: core.log, onSuccess: { next: join } }
  - { id: second, type: basic, action: core.log, onSuccess: { next: join } }
  - { id: third, type: basic, action: core.log, onSuccess: { next: join } }
  - { id: join, type: basic, action: core.log }
`;
  const NONE = { first: 'skipped', second: 'skipped', third: 'skipped' };

  it.each([['b', 'second'], [' b ', 'second'], [true, 'second'], [2, 'third']])('[S3-17] %j chooses the equal key, whatever onSuccess says', async (value, target) => {
    const done = await flows.play(BY_KEY(), { value });
    expect(statusesOf(done)).toEqual({ route: 'completed', ...NONE, [target]: 'completed', join: 'completed' });
    expect(taskOf(done, 'route')?.output).toEqual({ condition: value, routeTaken: target, routerType: 'map' });
  });

  it.each([[null], [''], ['  ']])('[S3-17] %j is an error', async (value) => {
    expect((await flows.play(BY_KEY(), { value })).error?.code).toBe('ROUTE_EMPTY');
  });

  it('[S3-18] an unknown key goes to default; without one the error lists the keys, sorted', async () => {
    expect(statusesOf(await flows.play(BY_KEY(', default: third'), { value: 'z' }))).toMatchObject({ ...NONE, third: 'completed' });
    expect((await flows.play(BY_KEY(), { value: 'z' })).error).toMatchObject({ code: 'ROUTE_NOT_FOUND', message: expect.stringContaining('2, a, b, true') });
  });

  it('[S3-19] of a list the first that is true wins; none and no default is an error', async () => {
    const ordered = (fallback: string): string => `
workflow: router.ordered
tasks:
  - { id: route, type: router, routes: [ { condition: 'input.value > 10', next: big }, { condition: 'input.value > 5', next: middle } ]${fallback} }
  - { id: big, type: basic, action: core.log, final: true, onError: { next: small } }
  - { id: middle, type: basic, action: core.log, final: true }
  - { id: small, type: basic, action: core.log }
`;
    const took = async (value: number) => (taskOf(await flows.play(ordered(', default: small'), { value }), 'route')?.output as { routeTaken: string }).routeTaken;
    expect([await took(20), await took(7), await took(1)]).toEqual(['big', 'middle', 'small']);
    expect((await flows.play(ordered(''), { value: 1 })).error?.code).toBe('ROUTE_NOT_FOUND');
  });

  const INLINE = (route: string): string => `
workflow: router.inline
tasks:
  - id: outer
    type: composite
    with: { fromOuter: 1 }
    tasks:
      - { id: route, type: router, condition: input.value, routes: { a: ${route} } }
      - { id: after, type: basic, action: core.log, with: '\${ tasks.route.output.result.chosen }' }
`;
  it('[S3-20] a task in place of a route is run, and gets nothing of what is around it', async () => {
    const done = await flows.play(INLINE("{ type: basic, action: world.call, with: { output: { chosen: 'a' } } }"), { value: 'a' });
    expect([done.status, taskOf(done, 'outer/after')?.output]).toEqual(['succeeded', 'a']);
    expect(system.world.callsOf(done.runId).map(({ task, input }) => [task, input])).toEqual([['outer/route/inline', { output: { chosen: 'a' } }]]);
  });

  it.each([['a number', '5', 'wrong_type'], ['a list', '[first]', 'wrong_type'], ['a map that is no task', '{ acton: core.log }', 'missing_field']])('[S3-20] %s in place of a route is refused', async (_what, route, code) => {
    expect((await flows.faultsOf(INLINE(route))).map((fault) => fault.code)).toContain(code);
  });
});
