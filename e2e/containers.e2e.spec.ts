import type { System } from './harness/system';
import { workflowsThroughout } from './harness/throughout';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let system: System;
let flows: Workflows;
workflowsThroughout((...started) => ([system, flows] = started));

const parallel = (name: string, fields: string, branches: Readonly<Record<string, string>>): string => `
workflow: parallel.${name}
retry: { maximumAttempts: 1 }
tasks:
  - id: both
    type: parallel
    ${fields}
    tasks:
${Object.entries(branches).map(([id, input]) => `      - { id: ${id}, type: basic, action: world.call, with: ${input} }`).join('\n')}
`;

describe('parallel', () => {
  const FIVE = { a: '{ gate: slow }', b: '{ delayMs: 20 }', c: '{ delayMs: 20 }', d: '{ delayMs: 20 }', e: '{ delayMs: 20 }' };

  it('[S3-24] never more than maxWorkers at once, as the outside world sees it; one that is slow holds up nobody', async () => {
    const run = await flows.start(parallel('two', 'maxWorkers: 2', FIVE));
    await flows.seen(run, 'four to be done', (detail) => ['b', 'c', 'd', 'e'].every((id) => taskOf(detail, `both/${id}`)?.status === 'completed'));
    expect([flows.callsOf(run).length, system.world.mostAtOnce(run)]).toEqual([5, 2]);
    system.world.openGate('slow');
    expect((await flows.ended(run)).status).toBe('succeeded');
  });

  it('[S3-24] all at once with maxWorkers 0', async () => {
    const run = await flows.start(parallel('all', 'maxWorkers: 0', { a: '{ gate: all }', b: '{ gate: all }', c: '{ gate: all }', d: '{ gate: all }', e: '{ gate: all }' }));
    await flows.called(run, 5);
    expect(system.world.mostAtOnce(run)).toBe(5);
    system.world.openGate('all');
    expect((await flows.ended(run)).status).toBe('succeeded');
  });

  it('[S3-25] wait_all: goes on until all ended, then fails and names the child that did', async () => {
    const run = await flows.start(parallel('wait-all', '', { a: '{}', b: '{ failFirst: 1 }', c: '{ gate: wait-all }' }));
    const held = await flows.taskIs(run, 'both/b', 'failed');
    expect([held.status, taskOf(held, 'both')?.status]).toEqual(['running', 'in_progress']);
    system.world.openGate('wait-all');
    const done = await flows.ended(run);
    expect(statusesOf(done)).toEqual({ both: 'failed', 'both/a': 'completed', 'both/b': 'failed', 'both/c': 'completed' });
    expect([done.status, taskOf(done, 'both')?.error]).toMatchObject(['failed', { code: 'child_task_failure', message: 'b: call 1 of both/b failed' }]);
  });

  it('[S3-26] fail_fast: the first failure ends it; the request that is under way is cut off, the pending one never made', async () => {
    const run = await flows.start(parallel('fail-fast', 'strategy: fail_fast\n    maxWorkers: 2', { a: '{ gateBefore: never }', b: '{ failFirst: 1 }', c: '{ gateBefore: never }', d: '{}' }));
    const done = await flows.ended(run);
    expect([done.status, statusesOf(done)]).toEqual(['failed', { both: 'failed', 'both/a': 'canceled', 'both/b': 'failed', 'both/c': 'canceled', 'both/d': 'canceled' }]);
    await system.world.when(() => system.world.callsOf(run, 'both/a')[0]?.aborted === true);
    expect(flows.callsOf(run)).not.toContain('both/d');
  });

  it('[S3-27] best_effort: one success will do, the errors are listed; none fails it', async () => {
    const one = await flows.play(parallel('best-effort', 'strategy: best_effort', { a: '{ failFirst: 1 }', b: '{ output: { n: 1 } }', c: '{ failFirst: 1 }' }));
    expect([one.status, taskOf(one, 'both')?.output]).toMatchObject(['succeeded', { outputs: { b: { n: 1 } }, errors: [{ task: 'both/a', message: 'call 1 of both/a failed' }, { task: 'both/c' }] }]);
    const none = await flows.play(parallel('best-effort', 'strategy: best_effort', { a: '{ failFirst: 1 }', b: '{ failFirst: 1 }' }));
    expect([none.status, none.error?.code]).toEqual(['failed', 'child_task_failure']);
  });

  it('[S3-28] race: a first failure decides nothing, the first success everything', async () => {
    const run = await flows.start(parallel('race', 'strategy: race', { a: '{ failFirst: 1 }', b: '{ gate: race, output: { won: true } }', c: '{ gateBefore: never }' }));
    expect(taskOf(await flows.taskIs(run, 'both/a', 'failed'), 'both')?.status).toBe('in_progress');
    await flows.called(run, 3);
    system.world.openGate('race');
    const done = await flows.ended(run);
    expect([done.status, statusesOf(done)]).toEqual(['succeeded', { both: 'completed', 'both/a': 'failed', 'both/b': 'completed', 'both/c': 'canceled' }]);
    expect(taskOf(done, 'both')?.output).toMatchObject({ outputs: { b: { won: true } } });
    await system.world.when(() => system.world.callsOf(run, 'both/c')[0]?.aborted === true);
    const none = await flows.play(parallel('race', 'strategy: race', { a: '{ failFirst: 1 }', b: '{ failFirst: 1 }' }));
    expect(none.status).toBe('failed');
  });

  it.each([
    ['no child', 'tasks: []', 'invalid_value'],
    ['a child without id', 'tasks: [{ type: basic, action: core.log }]', 'missing_field'],
    ['two children of one id', 'tasks: [{ id: a, type: basic, action: core.log }, { id: a, type: basic, action: core.log }]', 'duplicate_id'],
    ['an unknown strategy', 'strategy: first_wins, tasks: [{ id: a, type: basic, action: core.log }]', 'invalid_value'],
    ['negative maxWorkers', 'maxWorkers: -1, tasks: [{ id: a, type: basic, action: core.log }]', 'invalid_value'],
    ['itself as child', 'tasks: [{ id: both, type: basic, action: core.log }]', 'self_reference'],
    ['itself further in', 'tasks: [{ id: a, type: parallel, tasks: [{ id: both, type: basic, action: core.log }] }]', 'self_reference'],
  ])('[S3-29] with %s it is refused, with the line', async (_what, fields, code) => {
    expect(await flows.faultsOf(`workflow: parallel.wrong\ntasks:\n  - { id: both, type: parallel, ${fields} }`)).toMatchObject([{ code, line: 3 }]);
  });

  it('[S3-29] inside another, without a cycle, it is accepted and runs', async () => {
    const done = await flows.play(`
workflow: parallel.nested
tasks:
  - id: out
    type: parallel
    tasks:
      - { id: in, type: parallel, tasks: [ { id: a, type: basic, action: world.call }, { id: b, type: basic, action: world.call } ] }
      - { id: row, type: composite, tasks: [ { id: each, type: collection, items: '1..2', each: { id: one, type: basic, action: world.call } } ] }
`);
    expect([done.status, flows.callsOf(done.runId).toSorted()]).toEqual(['succeeded', ['out/in/a', 'out/in/b', 'out/row/each[0]', 'out/row/each[1]']]);
  });

  it('[S3-30] outputs is made when all children have ended, from their outputs', async () => {
    const run = await flows.start(parallel('outputs', "outputs: { sum: '${ output.outputs.a.n + output.outputs.b.n }', of: '${ tasks.both.children.a.output.n }' }", { a: '{ output: { n: 2 } }', b: '{ gate: outputs, output: { n: 3 } }' }));
    expect(taskOf(await flows.taskIs(run, 'both/a', 'completed'), 'both')?.output).toBeUndefined();
    system.world.openGate('outputs');
    expect(taskOf(await flows.ended(run), 'both')?.output).toEqual({ sum: 5, of: 2 });
  });
});

const collection = (name: string, fields: string, each = '{ id: one, type: basic, action: world.call }'): string => `
workflow: collection.${name}
retry: { maximumAttempts: 1 }
tasks:
  - id: all
    type: collection
    items: input.items
    ${fields}
    each: ${each}
`;

describe('collection', () => {
  it.each([
    ['a list', [1, 2], [1, 2]], ['JSON text', '[1, {"a": 2}]', [1, { a: 2 }]], ['a range', '1..3', [1, 2, 3]], ['a range down', '3..1', [3, 2, 1]], ['letters', 'a..c', ['a', 'b', 'c']],
    ['a map', { b: 1, a: 2 }, [{ key: 'a', value: 2 }, { key: 'b', value: 1 }]], ['a scalar', 7, [7]], ['null', null, []],
  ])('[S3-31] runs over %s', async (_what, items, results) => {
    const done = await flows.play(collection('expand', 'mode: sequential', "{ id: one, type: basic, action: core.log, outputs: { item: '${ item }' } }"), { items });
    expect((taskOf(done, 'all')?.output as { results: { item: unknown }[] }).results.map(({ item }) => item)).toEqual(results);
  });

  it('[S3-31] a range that is too large fails the task', async () => {
    const done = await flows.play(collection('expand-limit', ''), { items: '1..10001' });
    expect([done.status, done.error]).toMatchObject(['failed', { message: expect.stringContaining('10000') }]);
  });

  it('[S3-32] a filter keeps what looks like yes, drops what looks like no; one that cannot be evaluated fails the task', async () => {
    const kept = await flows.play(collection('filter', 'filter: item'), { items: ['true', ' YES ', '1', 'on', 'whatever', 'false', ' NO ', '0', 'Off', '', '  '] });
    expect(taskOf(kept, 'all')?.output).toMatchObject({ itemCount: 5, skippedCount: 6 });
    const broken = await flows.play(collection('filter-broken', 'filter: item.nothing'), { items: [{}] });
    expect([broken.status, broken.error?.code]).toEqual(['failed', 'EXPRESSION_ERROR']);
  });

  it('[S3-33] a child gets the input of what is around it, its own on top, item and index by their names on top of that', async () => {
    const done = await flows.play(collection('input', "itemVar: image\n    indexVar: n\n    with: { a: parent, b: parent, image: parent, path: '${ image.name + \"!\" }' }", "{ id: one, type: basic, action: world.call, with: { b: template, c: '${ n }' } }"), { items: [{ name: 'x' }, { name: 'y' }] });
    const inputs = system.world.callsOf(done.runId).toSorted((one, other) => one.task.localeCompare(other.task)).map(({ input }) => input);
    expect(inputs).toEqual([
      { a: 'parent', b: 'template', c: 0, image: { name: 'x' }, n: 0, path: 'x!' },
      { a: 'parent', b: 'template', c: 1, image: { name: 'y' }, n: 1, path: 'y!' },
    ]);
  });

  it('[S3-34] counts what it kept and left out, numbers from 0; with nothing kept it ends well without a child', async () => {
    const done = await flows.play(collection('counts', "filter: 'item % 3 != 0'"), { items: [1, 2, 3, 4, 5, 6] });
    expect(taskOf(done, 'all')?.output).toMatchObject({ itemCount: 4, skippedCount: 2 });
    expect(system.world.callsOf(done.runId).map(({ input }) => input).toSorted((one, other) => Number('index' in one && one.index) - Number('index' in other && other.index)))
      .toEqual([{ item: 1, index: 0 }, { item: 2, index: 1 }, { item: 4, index: 2 }, { item: 5, index: 3 }]);
    const began = (await system.api.events(done.runId)).find(({ task, data }) => task === 'all' && data['children'] !== undefined);
    expect(began?.data['children']).toMatchObject({ childCount: 4, skippedCount: 2 });
    const empty = await flows.play(collection('counts', "filter: 'item % 3 != 0'"), { items: [3, 6] });
    expect([empty.status, statusesOf(empty)]).toEqual(['succeeded', { all: 'completed' }]);
    expect(taskOf(empty, 'all')?.output).toMatchObject({ outputs: {}, results: [], itemCount: 0, skippedCount: 2 });
  });

  it('[S3-35] sequential: in the order of the items, 10 after 9', async () => {
    const done = await flows.play(collection('sequential', 'mode: sequential'), { items: '0..11' });
    expect(flows.callsOf(done.runId)).toEqual(Array.from({ length: 12 }, (_, index) => `all[${index}]`));
    expect(system.world.mostAtOnce(done.runId)).toBe(1);
  });

  const FAILS_AT = (index: string): string => `{ id: one, type: basic, action: world.call, with: { failFirst: '\${ index ${index} ? 1 : 0 }' } }`;
  it.each([
    ['fail_fast', '== 2', [0, 1, 2], 'failed'],
    ['wait_all', '== 2', [0, 1, 2, 3, 4], 'failed'],
    ['best_effort', '== 2', [0, 1, 2, 3, 4], 'succeeded'],
    ['race', '< 2', [0, 1, 2], 'succeeded'],
  ])('[S3-36] sequential %s, where the item %s fails, runs %j', async (strategy, index, ran, status) => {
    const done = await flows.play(collection(`sequential-${strategy}`, `mode: sequential\n    strategy: ${strategy}`, FAILS_AT(index)), { items: '0..4' });
    expect([flows.callsOf(done.runId), done.status]).toEqual([ran.map((each) => `all[${each}]`), status]);
  });

  it('[S3-37] groups of two: the next begins only when the one before has ended', async () => {
    const run = await flows.start(collection('batches', 'batch: 2', "{ id: one, type: basic, action: world.call, with: { gate: 'batch-${ index }' } }"), { items: '1..5' });
    await flows.called(run, 2);
    system.world.openGate('batch-1');
    await flows.taskIs(run, 'all[1]', 'completed');
    expect(flows.callsOf(run).toSorted()).toEqual(['all[0]', 'all[1]']);
    system.world.openGate('batch-0');
    await flows.called(run, 4);
    for (const index of [2, 3]) system.world.openGate(`batch-${index}`);
    await flows.called(run, 5);
    expect(flows.callsOf(run).slice(2, 4).toSorted()).toEqual(['all[2]', 'all[3]']);
    system.world.openGate('batch-4');
    expect(taskOf(await flows.ended(run), 'all')?.output).toMatchObject({ itemCount: 5, progress: { processed: 5, total: 5 } });
  });
});
