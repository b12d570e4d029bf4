import { until } from './harness/until';
import type { System } from './harness/system';
import { workflowsThroughout } from './harness/throughout';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let system: System;
let flows: Workflows;
workflowsThroughout((...started) => ([system, flows] = started));

describe('composite', () => {
  const ORDERED = `
workflow: composite.ordered
tasks:
  - id: all
    type: composite
    tasks:
      - { id: first, type: basic, action: world.call, with: { output: { n: 1 } } }
      - { id: second, type: basic, action: world.call, retries: 0, with: { failFirst: '\${ input.failures }', output: { n: '\${ tasks.first.output.n + 1 }' } } }
      - { id: third, type: basic, action: world.call, with: { output: { n: '\${ previous.n + 1 }' } } }
`;

  it('[S3-39] one after another, each seeing the one before; a failure leaves the rest undone and is named', async () => {
    const good = await flows.play(ORDERED, { failures: 0 });
    expect(flows.callsOf(good.runId)).toEqual(['all/first', 'all/second', 'all/third']);
    expect(taskOf(good, 'all')?.output).toMatchObject({ outputs: { first: { n: 1 }, second: { n: 2 }, third: { n: 3 } } });
    const bad = await flows.play(ORDERED, { failures: 1 });
    expect([bad.status, statusesOf(bad)]).toEqual(['failed', { all: 'failed', 'all/first': 'completed', 'all/second': 'failed', 'all/third': 'pending' }]);
    expect(bad.error).toMatchObject({ code: 'child_task_failure', message: 'second: call 1 of all/second failed' });
    expect(flows.callsOf(bad.runId)).not.toContain('all/third');
  });

  it('[S3-40] without a child, or with a strategy, it is refused', async () => {
    const faults = async (fields: string) => flows.faultsOf(`workflow: composite.wrong\ntasks:\n  - { id: all, type: composite, ${fields} }`);
    expect(await faults('tasks: []')).toMatchObject([{ code: 'invalid_value', line: 3 }]);
    expect(await faults('title: empty')).toMatchObject([{ code: 'missing_field', line: 3 }]);
    expect(await faults('strategy: race, tasks: [{ id: a, type: basic, action: core.log }]')).toMatchObject([{ code: 'unknown_field', line: 3 }]);
  });

  it('[S3-40] containers nest', async () => {
    let inner = "{ id: leaf, type: basic, action: world.call, with: { output: { deep: true } } }";
    for (let depth = 18; depth >= 0; depth -= 1) inner = `{ id: t${depth}, type: composite, tasks: [ ${inner} ] }`;
    const done = await flows.play(`workflow: composite.deep\ntasks:\n  - ${inner}`);
    expect([done.status, done.tasks.length, flows.callsOf(done.runId)]).toEqual(['succeeded', 20, [`${Array.from({ length: 19 }, (_, depth) => `t${depth}`).join('/')}/leaf`]]);
  });

  it('with rollback undoes what finished inside it, last first, and the run goes on where onError leads', async () => {
    const done = await flows.play(`
workflow: composite.rollback
retry: { maximumAttempts: 1 }
tasks:
  - id: all
    type: composite
    rollback: onFailure
    onError: { next: after }
    tasks:
      - { id: a, type: basic, action: world.call, with: { output: { n: 1 } }, undo: { action: world.call, with: { output: { undoes: '\${ output.n }' } } } }
      - { id: b, type: basic, action: world.call, undo: { action: world.call } }
      - { id: c, type: basic, action: world.call, with: { failFirst: 1 }, undo: { action: world.call } }
  - { id: after, type: basic, action: world.call }
`);
    expect([done.status, taskOf(done, 'all')?.status]).toEqual(['succeeded', 'failed']);
    expect(flows.callsOf(done.runId)).toEqual(['all/a', 'all/b', 'all/c', 'all/b', 'all/a', 'after']);
    expect(system.world.callsOf(done.runId)[4]?.input).toEqual({ output: { undoes: 1 } });
  });
});

describe('a workflow as a child run', () => {
  const PARENT = `
workflow: child.parent
tasks:
  - { id: sub, type: composite, workflow: child.child, retry: { maximumAttempts: 2, initialInterval: 20ms }, with: { failures: '\${ input.failures }', gate: '\${ input.gate }' } }
output: '\${ tasks.sub.output }'
`;
  const CHILD = `
workflow: child.child
retry: { maximumAttempts: 1 }
tasks:
  - { id: first, type: basic, action: world.call }
  - { id: second, type: basic, action: world.call, with: { failFirst: '\${ input.failures }', gate: '\${ input.gate }', output: { done: true } } }
output: { done: '\${ tasks.second.output.done }' }
`;
  const childOf = (run: string): Promise<string> => until(`the child run of ${run} in the list`, async () => {
    const { body } = await system.api.call('GET', '/orchestrator/runs?workflow=child.child&limit=100');
    const children = await Promise.all((body as { runs: { runId: string }[] }).runs.map(({ runId }) => system.api.detail(runId)));
    return children.find(({ parent }) => (parent as { runId: string }).runId === run)?.runId;
  });
  beforeAll(() => flows.publish(CHILD));

  it('gives its output to the task; one that failed is tried again, and what was done in it stays done', async () => {
    system.world.openGate('child');
    const good = await flows.play(PARENT, { failures: 1, gate: 'child' });
    expect([good.status, good.output, taskOf(good, 'sub')?.attempt]).toEqual(['succeeded', { done: true }, 2]);
    expect(flows.callsOf(await childOf(good.runId))).toEqual(['first', 'second', 'second']);
    const bad = await flows.play(PARENT, { failures: 2, gate: 'child' });
    expect([bad.status, bad.error]).toEqual(['failed', { code: 'WORLD_FAILED', message: 'call 2 of second failed' }]);
  });

  it('is canceled with its parent', async () => {
    const run = await flows.start(PARENT, { failures: 0, gate: 'child.canceled' });
    await system.world.when(() => system.world.calls.some(({ input }) => input.gate === 'child.canceled'));
    const { run: child } = system.world.calls.findLast(({ input }) => input.gate === 'child.canceled') ?? { run: '' };
    expect((await system.api.command(run, 'cancel')).status).toBe(202);
    expect([(await flows.ended(run)).status, (await flows.ended(child)).status]).toEqual(['canceled', 'canceled']);
  });
});

describe('aggregate', () => {
  const AFTER = (name: string, fields: string): string => `
workflow: aggregate.${name}
tasks:
  - { id: a, type: basic, action: world.call, outputs: { a: 1, both: left, list: [1, 2] } }
  - { id: b, type: basic, action: world.call, outputs: { b: 2, both: right, list: [3] } }
  - { id: all, type: aggregate, ${fields} }
`;
  const resultOf = async (name: string, fields: string) => taskOf(await flows.play(AFTER(name, fields)), 'all');

  it('[S3-42] makes values of two earlier results; a result outside its schema fails it', async () => {
    expect((await resultOf('outputs', "outputs: { sum: '${ tasks.a.output.a + tasks.b.output.b }' }"))?.output).toEqual({ sum: 3 });
    const outside = await resultOf('schema', "outputs: { sum: '${ tasks.a.output.a }' }, output: { type: object, properties: { sum: { type: string } } }");
    expect([outside?.status, outside?.error?.code]).toEqual(['failed', 'OUTPUT_INVALID']);
  });

  it.each([['outputs: {}', 'invalid_value'], ...['action: core.log', 'agent: bob', 'tool: saw', 'sleep: 5s', 'with: { a: 1 }'].map((field) => [`outputs: { a: 1 }, ${field}`, 'unknown_field'])])('[S3-42] with %s it is refused', async (fields, code) => {
    expect(await flows.faultsOf(AFTER('wrong', fields))).toMatchObject([{ code, line: 6 }]);
  });

  it('[S3-43] merges maps by its conflict policy, joins lists in their order', async () => {
    const sources = "sources: ['${ tasks.a.output }', '${ tasks.b.output }']";
    expect((await resultOf('merge', `merge: { ${sources} }`))?.output).toEqual({ a: 1, b: 2, both: 'right', list: [3] });
    expect((await resultOf('merge', `merge: { ${sources}, conflict: first }`))?.output).toEqual({ a: 1, b: 2, both: 'left', list: [1, 2] });
    expect(await resultOf('merge', `merge: { ${sources}, conflict: error }`)).toMatchObject({ status: 'failed', error: { code: 'MERGE_CONFLICT' } });
    expect((await resultOf('concat', "concat: { sources: ['${ tasks.b.output.list }', '${ tasks.a.output.list }'] }"))?.output).toEqual([3, 1, 2]);
  });
});
