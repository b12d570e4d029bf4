import type { System } from './harness/system';
import { workflowsThroughout } from './harness/throughout';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let system: System;
let flows: Workflows;
workflowsThroughout((...started) => ([system, flows] = started));

const gapsOf = (run: string, path: string): number[] => {
  const times = system.world.callsOf(run, path).map(({ at }) => at);
  return times.slice(1).map((at, index) => at - (times[index] ?? 0));
};

describe('attempts', () => {
  it('[S3-06] a task is planned pending, its success stored; a throw is tried again as the policy says, then takes the error transition', async () => {
    const yaml = `
workflow: attempts.basic
tasks:
  - { id: good, type: basic, action: world.call, with: { gate: basic, output: { n: 1 } } }
  - { id: bad, type: basic, action: world.call, retry: { maximumAttempts: 2, initialInterval: 20ms }, with: { failFirst: 9 }, onError: { next: rescue } }
  - { id: never, type: basic, action: world.call, onError: { next: rescue } }
  - { id: rescue, type: basic, action: world.call }
`;
    const run = await flows.start(yaml);
    await flows.called(run, 1);
    expect(statusesOf(await system.api.detail(run))).toEqual({ good: 'in_progress', bad: 'pending', never: 'pending', rescue: 'pending' });
    system.world.openGate('basic');
    const done = await flows.ended(run);
    expect([done.status, statusesOf(done)]).toEqual(['succeeded', { good: 'completed', bad: 'failed', never: 'skipped', rescue: 'completed' }]);
    expect([taskOf(done, 'good')?.output, taskOf(done, 'bad')?.attempts.map(({ status }) => status)]).toMatchObject([{ n: 1 }, ['failed', 'failed']]);
    expect(flows.callsOf(run)).toEqual(['good', 'bad', 'bad', 'rescue']);
    expect(await flows.faultsOf(yaml.replace('world.call', 'world.cal'))).toMatchObject([{ code: 'unknown_action', line: 4 }]);
  });

  it.each([
    ["{ error: 'x' }", 'failed'], ['{ success: false }', 'failed'], ["{ success: 'false' }", 'failed'], ["{ error: '' }", 'completed'],
  ])('[S3-44] the output %s makes the task %s', async (output, status) => {
    const done = await flows.play(`
workflow: attempts.response
tasks:
  - { id: a, type: basic, action: core.log, retries: 0, with: ${output}, onSuccess: { next: good }, onError: { next: bad } }
  - { id: good, type: basic, action: core.log, final: true, onError: { next: bad } }
  - { id: bad, type: basic, action: core.log }
`);
    expect(statusesOf(done)).toEqual({ a: status, good: status === 'failed' ? 'skipped' : 'completed', bad: status === 'failed' ? 'completed' : 'skipped' });
  });

  it('[S3-45] with outputs the result has these keys only; one that cannot be made fails the task', async () => {
    const outputs = (of: string): string => `workflow: attempts.outputs\ntasks:\n  - { id: a, type: basic, action: world.call, with: { output: { n: 2, secret: 1 } }, retries: 0, outputs: { double: '\${ output.${of} * 2 }' } }`;
    expect(taskOf(await flows.play(outputs('n')), 'a')?.output).toEqual({ double: 4 });
    const broken = await flows.play(outputs('missing'));
    expect([broken.status, taskOf(broken, 'a')?.status, taskOf(broken, 'a')?.error?.code]).toEqual(['failed', 'failed', 'EXPRESSION_ERROR']);
  });

  it('[S3-48] attempts at 0, 1 and 3 intervals, then failure; the policy of a task is laid over that of its document', async () => {
    const done = await flows.play(`
workflow: attempts.policy
retry: { maximumAttempts: 9, initialInterval: 100ms, backoffCoefficient: 2 }
tasks:
  - { id: a, type: basic, action: world.call, retry: { maximumAttempts: 3 }, with: { failFirst: 9 } }
`);
    const [first = 0, second = 0, ...more] = gapsOf(done.runId, 'a');
    expect([done.status, more, taskOf(done, 'a')?.attempt]).toEqual(['failed', [], 3]);
    expect([first >= 100, second >= 200]).toEqual([true, true]);
  });

  it('[S3-48] an error that is final is not tried again', async () => {
    const done = await flows.play('workflow: attempts.final\ntasks:\n  - { id: a, type: basic, action: world.call, retry: { nonRetryableErrors: [WORLD_FAILED] }, with: { failFirst: 9 } }');
    expect([done.status, flows.callsOf(done.runId)]).toEqual(['failed', ['a']]);
  });

  it('an attempt that takes too long is cut off and tried again', async () => {
    const done = await flows.play('workflow: attempts.timeout\ntasks:\n  - { id: a, type: basic, action: world.call, timeout: 100ms, retry: { maximumAttempts: 2, initialInterval: 10ms }, with: { gateBefore: never } }');
    expect([done.status, taskOf(done, 'a')?.error?.code, taskOf(done, 'a')?.attempts.length]).toEqual(['failed', 'ATTEMPT_TIMEOUT', 2]);
    await system.world.when(() => system.world.callsOf(done.runId).every(({ aborted }) => aborted));
  });

  it('a container and a run have limits as a whole', async () => {
    const row = await flows.play('workflow: attempts.container\ntasks:\n  - { id: row, type: composite, timeout: 100ms, tasks: [ { id: a, type: basic, action: world.call, with: { gateBefore: never } }, { id: b, type: basic, action: world.call } ] }');
    expect([row.status, statusesOf(row)]).toEqual(['failed', { row: 'timed_out', 'row/a': 'canceled', 'row/b': 'canceled' }]);
    const run = await flows.play('workflow: attempts.run\ntimeout: 100ms\ntasks:\n  - { id: a, type: basic, action: world.call, with: { gateBefore: never } }');
    expect([run.status, run.error?.code, statusesOf(run)]).toEqual(['failed', 'RUN_TIMEOUT', { a: 'canceled' }]);
  });

  it('a task that no executor takes in time is timed out', async () => {
    await system.kill('executor');
    const run = await flows.start('workflow: attempts.schedule\ntasks:\n  - { id: a, type: basic, action: world.call, scheduleTimeout: 80ms, retries: 0 }');
    const done = await flows.ended(run);
    expect([done.status, taskOf(done, 'a')?.status, taskOf(done, 'a')?.error?.code]).toEqual(['failed', 'timed_out', 'SCHEDULE_TIMEOUT']);
    await system.launchAll(['executor']);
    expect((await flows.play('workflow: attempts.after\ntasks:\n  - { id: a, type: basic, action: world.call }')).status).toBe('succeeded');
    expect(flows.callsOf(run)).toEqual([]);
  });
});

describe('the way through a list', () => {
  it('[S3-47] next and with of a transition reach the next task; final stops; without onError the run fails with the message of the task', async () => {
    const jump = await flows.play(`
workflow: list.jump
tasks:
  - { id: a, type: basic, action: world.call, with: { output: { n: 1 } }, onSuccess: { next: c, with: { from: '\${ output.n }' } }, onError: { next: b } }
  - { id: b, type: basic, action: world.call }
  - { id: c, type: basic, action: world.call, with: { own: 1, from: 0 }, final: true, onError: { next: d } }
  - { id: d, type: basic, action: world.call }
`);
    expect([jump.status, statusesOf(jump)]).toEqual(['succeeded', { a: 'completed', b: 'skipped', c: 'completed', d: 'skipped' }]);
    expect(system.world.callsOf(jump.runId).map(({ task, input }) => [task, input])).toEqual([['a', { output: { n: 1 } }], ['c', { own: 1, from: 1 }]]);
    expect(await flows.faultsOf('workflow: list.nowhere\ntasks:\n  - { id: a, type: basic, action: world.call, onSuccess: { next: z } }')).toMatchObject([{ code: 'unknown_target', line: 3 }]);
    const failed = await flows.play('workflow: list.failed\ntasks:\n  - { id: a, type: basic, action: world.call, retries: 0, with: { failFirst: 9 } }\n  - { id: b, type: basic, action: world.call }');
    expect([failed.status, failed.error, statusesOf(failed)]).toEqual(['failed', { code: 'WORLD_FAILED', message: 'call 1 of a failed' }, { a: 'failed', b: 'pending' }]);
  });

  it('[S3-49] sleep keeps the next task back for that time; nonsense is refused', async () => {
    const sleepy = (sleep: string): string => `workflow: list.sleep\ntasks:\n  - { id: a, type: basic, action: world.call, sleep: ${sleep} }\n  - { id: b, type: basic, action: world.call }`;
    const done = await flows.play(sleepy('120ms'));
    expect(Date.parse(taskOf(done, 'b')?.startedAt ?? '') - Date.parse(taskOf(done, 'a')?.finishedAt ?? '')).toBeGreaterThanOrEqual(120);
    for (const sleep of ['1m30s', '30 seconds', '1 day 2 hours']) expect(await flows.faultsOf(sleepy(sleep))).toEqual([]);
    for (const sleep of ['soon', '"30"', '3 fortnights']) expect(await flows.faultsOf(sleepy(sleep))).toMatchObject([{ code: 'invalid_duration', line: 3 }]);
  });

  it('previous is the output of the task before; branches and items have none, whatever has ended before them', async () => {
    const done = await flows.play(`
workflow: list.previous
tasks:
  - { id: a, type: basic, action: core.log, with: { n: 1 } }
  - { id: b, type: basic, action: core.log, with: { n: '\${ previous.n + 1 }' } }
  - { id: items, type: collection, mode: sequential, items: '1..2', each: { id: one, type: basic, action: core.log, with: { before: '\${ previous }' } } }
  - { id: both, type: parallel, maxWorkers: 1, tasks: [ { id: x, type: basic, action: core.log }, { id: y, type: basic, action: core.log, with: { before: '\${ previous }' } } ] }
`);
    expect([taskOf(done, 'b')?.output, taskOf(done, 'items[0]')?.output, taskOf(done, 'items[1]')?.output, taskOf(done, 'both/y')?.output]).toMatchObject([{ n: 2 }, { before: null }, { before: null }, { before: null }]);
  });

  it('when skips a task, its transitions with it', async () => {
    const yaml = "workflow: list.when\ntasks:\n  - { id: a, type: basic, action: world.call, when: input.go, onSuccess: { next: c } }\n  - { id: b, type: basic, action: world.call }\n  - { id: c, type: basic, action: world.call }";
    expect(statusesOf(await flows.play(yaml, { go: false }))).toEqual({ a: 'skipped', b: 'completed', c: 'completed' });
    expect(statusesOf(await flows.play(yaml, { go: true }))).toEqual({ a: 'completed', b: 'skipped', c: 'completed' });
  });

  it('a loop visits its tasks again, at most maxVisits times', async () => {
    const yaml = `
workflow: list.loop
tasks:
  - { id: body, type: basic, action: world.call, maxVisits: 3 }
  - { id: again, type: router, routes: [ { condition: 'tasks.body.output.call < input.until', next: body } ], default: after }
  - { id: after, type: basic, action: world.call }
`;
    const looped = await flows.play(yaml, { until: 1 });
    expect([looped.status, flows.callsOf(looped.runId)]).toEqual(['succeeded', ['body', 'after']]);
    const endless = await flows.play(yaml, { until: 99 });
    expect([endless.status, endless.error?.code, flows.callsOf(endless.runId)]).toEqual(['failed', 'MAX_VISITS', ['body', 'body#2', 'body#3']]);
  });

  it('[S3-50] one ${ } keeps its type, mixed text is text, $${ is literal; a key that is missing is named, with its place', async () => {
    const value = (text: string): string => `workflow: list.values\ntasks:\n  - { id: a, type: basic, action: core.log, with: { value: '${text}' } }`;
    const valueOf = async (text: string) => taskOf(await flows.play(value(text), { n: 2, list: [1], none: null }), 'a')?.output;
    expect([await valueOf('${ input.n }'), await valueOf('${ input.list }'), await valueOf('${ input.none }')]).toEqual([{ value: 2 }, { value: [1] }, { value: null }]);
    expect([await valueOf('n is ${ input.n }'), await valueOf('$${ input.n }')]).toEqual([{ value: 'n is 2' }, { value: '${ input.n }' }]);
    const missing = await flows.play(value('${ input.list[0] + input.gone.deeper }'), { list: [1] });
    expect([missing.status, missing.error?.code]).toEqual(['failed', 'EXPRESSION_ERROR']);
    expect(missing.error?.message).toMatch(/gone/);
  });

  it('[S3-52] env: document < container < task; none has what is another\'s, nor has the output of the run', async () => {
    const done = await flows.play(`
workflow: list.env
env: { A: document, B: document, C: document }
output: { c: '\${ env.C }' }
tasks:
  - id: row
    type: composite
    env: { B: container, C: container }
    tasks:
      - { id: a, type: basic, action: core.log, env: { C: task }, with: { a: '\${ env.A }', b: '\${ env.B }', c: '\${ env.C }' } }
      - { id: b, type: basic, action: core.log, with: { c: '\${ env.C }' } }
`);
    expect([taskOf(done, 'row/a')?.output, taskOf(done, 'row/b')?.output]).toEqual([{ a: 'document', b: 'container', c: 'task' }, { c: 'container' }]);
    const last = await flows.play("workflow: list.env-last\nenv: { C: document }\noutput: { c: '${ env.C }' }\ntasks:\n  - { id: a, type: basic, action: core.log, env: { C: task }, with: { id: '${ task.id }' }, outputs: { c: '${ env.C }', id: '${ task.id }' } }");
    expect([done.output, last.output, taskOf(last, 'a')?.output]).toEqual([{ c: 'document' }, { c: 'document' }, { c: 'task', id: 'a' }]);
  });
});
