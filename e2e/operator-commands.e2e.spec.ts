import type { System } from './harness/system';
import { workflowsThroughout } from './harness/throughout';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let system: System;
let flows: Workflows;
workflowsThroughout((...started) => ([system, flows] = started));

const command = async (run: string, name: string, body: object = {}): Promise<number> => (await system.api.command(run, name, body)).status;

describe('lanes', () => {
  const LANED = `
workflow: lanes.one
lane: { key: '"shop/" + string(input.shop)', limit: 1 }
tasks:
  - { id: work, type: basic, action: world.call, retries: 0, with: { gate: '\${ input.gate }', failFirst: '\${ has(input.fail) ? 1 : 0 }' } }
`;
  it('at most so many runs of a key at a time, the others in the order in which they came; other keys do not wait', async () => {
    await flows.publish(LANED);
    const runs = [];
    for (const gate of ['lane-1', 'lane-2', 'lane-3']) runs.push(await flows.request('lanes.one', { shop: 1, gate }));
    const [first = '', second = '', third = ''] = runs;
    const other = await flows.request('lanes.one', { shop: 2, gate: 'lane-other' });
    await flows.called(first, 1);
    await flows.called(other, 1);
    const queued = await system.api.detail(second);
    expect([queued.status, queued.waitingFor]).toEqual(['pending', expect.stringContaining('lane "shop/1"')]);
    system.world.openGate('lane-1');
    await flows.called(second, 1);
    expect([flows.callsOf(third), (await flows.ended(first)).status]).toEqual([[], 'succeeded']);
    for (const gate of ['lane-2', 'lane-3', 'lane-other']) system.world.openGate(gate);
    for (const run of [second, third, other]) expect((await flows.ended(run)).status).toBe('succeeded');
  });

  it('a queued run can be canceled; one that fails makes room; one that is retried queues again', async () => {
    await flows.publish(LANED);
    const request = (more: object): Promise<string> => flows.request('lanes.one', { shop: 3, ...more });
    const failing = await request({ gate: 'open', fail: true });
    system.world.openGate('open');
    expect((await flows.ended(failing)).status).toBe('failed');
    const first = await request({ gate: 'lane-4' });
    const canceled = await request({ gate: 'open' });
    await flows.called(first, 1);
    expect(await command(canceled, 'cancel')).toBe(202);
    expect((await flows.ended(canceled)).status).toBe('canceled');
    expect(await command(failing, 'retry')).toBe(202);
    await flows.seen(failing, 'the retried run to queue', ({ waitingFor }) => waitingFor?.includes('lane "shop/3"') === true);
    expect(flows.callsOf(failing)).toHaveLength(1);
    system.world.openGate('lane-4');
    expect([(await flows.ended(first)).status, (await flows.ended(failing)).status, flows.callsOf(canceled)]).toEqual(['succeeded', 'succeeded', []]);
  });
});

describe('rollback', () => {
  const PUBLISH = (undo = ''): string => `
workflow: rollback.publish
rollback: onFailure
retry: { maximumAttempts: 1 }
tasks:
  - { id: draft, type: basic, action: world.call, with: { output: { draftId: d1 } }, undo: { action: world.call, with: { output: { deleted: '\${ output.draftId }' } } } }
  - id: images
    type: collection
    items: '1..2'
    mode: sequential
    each: { id: upload, type: basic, action: world.call, undo: { action: world.call, with: { undoes: '\${ item }'${undo} } } }
  - { id: covered, type: basic, action: world.call, undo: { by: draft } }
  - { id: publish, type: basic, action: world.call, with: { failFirst: 9 }, undo: { action: world.call } }
`;
  it('undoes what finished, last first, each an event of its own, and keeps the reason', async () => {
    const done = await flows.play(PUBLISH());
    expect([done.status, done.error?.message]).toEqual(['rolled_back', 'call 1 of publish failed']);
    expect(flows.callsOf(done.runId)).toEqual(['draft', 'images[0]', 'images[1]', 'covered', 'publish', 'images[1]', 'images[0]', 'draft']);
    expect(system.world.callsOf(done.runId).slice(5).map(({ input }) => input)).toMatchObject([{ undoes: 2 }, { undoes: 1 }, { output: { deleted: 'd1' } }]);
    const events = await system.api.events(done.runId);
    expect(events.filter(({ type }) => type === 'TaskUndoTransitioned').map(({ task, data }) => `${task} ${String(data['to'])}`)).toEqual([
      'images[1] started', 'images[1] completed', 'images[0] started', 'images[0] completed', 'draft started', 'draft completed',
    ]);
    expect(events.at(-1)?.type).toBe('RunRolledBack');
  });

  it('an undo that cannot be done fails the run', async () => {
    const done = await flows.play(PUBLISH(', failFirst: 99'));
    expect([done.status, done.error?.code, flows.callsOf(done.runId).includes('draft')]).toEqual(['failed', 'ROLLBACK_FAILED', true]);
  });
});

describe('pause and resume', () => {
  it('what runs ends, nothing begins, inside containers too, until it is resumed', async () => {
    const run = await flows.start(`
workflow: pause.nested
tasks:
  - id: both
    type: parallel
    maxWorkers: 2
    tasks:
      - { id: left, type: composite, tasks: [ { id: a, type: basic, action: world.call, with: { gate: pause } }, { id: b, type: basic, action: world.call } ] }
      - { id: right, type: basic, action: world.call, with: { gate: pause } }
      - { id: third, type: basic, action: world.call }
`);
    await flows.called(run, 2);
    expect(await command(run, 'pause', { reason: 'look first' })).toBe(202);
    expect(await command(run, 'pause')).toBe(409);
    system.world.openGate('pause');
    const paused = await flows.seen(run, 'what ran to have ended', (detail) => ['both/left/a', 'both/right'].every((path) => taskOf(detail, path)?.status === 'completed'));
    expect([paused.status, paused['paused'], paused.waitingFor]).toEqual(['running', true, 'The run is paused; an operator can resume it.']);
    const bystander = await flows.play('workflow: pause.other\ntasks:\n  - { id: a, type: basic, action: world.call }'); // the planner has looked meanwhile
    expect([bystander.status, flows.callsOf(run).length]).toEqual(['succeeded', 2]);
    expect(await command(run, 'resume')).toBe(202);
    expect(await command(run, 'resume')).toBe(409);
    const done = await flows.ended(run);
    expect([done.status, flows.callsOf(run).toSorted()]).toEqual(['succeeded', ['both/left/a', 'both/left/b', 'both/right', 'both/third']]);
  });

  it('a row of quick tasks stops where it is', async () => {
    const tasks = Array.from({ length: 45 }, (_, index) => `  - { id: t${index}, type: basic, action: world.call${index === 4 ? ', with: { gate: row }' : ''} }`);
    const run = await flows.start(`workflow: pause.row\ntasks:\n${tasks.join('\n')}`);
    await flows.called(run, 5);
    system.world.openGate('row');
    expect(await command(run, 'pause')).toBe(202);
    const paused = await flows.seen(run, 'nothing to be under way', ({ tasks: all }) => all.every(({ status }) => status !== 'in_progress'));
    expect(flows.callsOf(run).length).toBeLessThan(45);
    expect([paused['paused'], await command(run, 'resume'), (await flows.ended(run)).status]).toEqual([true, 202, 'succeeded']);
    expect(flows.callsOf(run)).toHaveLength(45);
  });

  it('a paused run can be canceled', async () => {
    const run = await flows.start('workflow: pause.cancel\ntasks:\n  - { id: a, type: basic, action: world.call, with: { gate: pause-cancel } }\n  - { id: b, type: basic, action: world.call }');
    await flows.called(run, 1);
    expect([await command(run, 'pause'), await command(run, 'cancel')]).toEqual([202, 202]);
    expect(statusesOf(await flows.ended(run))).toEqual({ a: 'canceled', b: 'canceled' });
    await system.world.when(() => system.world.callsOf(run)[0]?.aborted === true);
  });
});

describe('retry and resolve', () => {
  it('a failed run goes on where it failed, inside containers too', async () => {
    const run = await flows.start(`
workflow: retry.inside
retry: { maximumAttempts: 1 }
tasks:
  - id: both
    type: parallel
    tasks:
      - { id: good, type: basic, action: world.call }
      - { id: row, type: composite, tasks: [ { id: a, type: basic, action: world.call }, { id: b, type: basic, action: world.call, with: { failFirst: 1 } }, { id: c, type: basic, action: world.call } ] }
`);
    expect((await flows.ended(run)).status).toBe('failed');
    expect(await command(run, 'retry', { reason: 'fixed' })).toBe(202);
    const done = await flows.ended(run);
    expect([done.status, done.attempt]).toEqual(['succeeded', 2]);
    expect(flows.callsOf(run).toSorted()).toEqual(['both/good', 'both/row/a', 'both/row/b', 'both/row/b', 'both/row/c']);
  });

  it('a task that waits for a person goes on as the person says', async () => {
    const yaml = 'workflow: resolve.one\ntasks:\n  - { id: a, type: basic, action: world.call, escalate: [WORLD_FAILED], with: { failFirst: 9 } }\n  - { id: b, type: basic, action: core.log, with: { by: \'${ tasks.a.output.by }\' } }';
    const run = await flows.start(yaml);
    expect((await flows.ended(run)).status).toBe('escalated');
    expect(await command(run, 'tasks/a/resolve', { as: 'completed', output: { by: 'hand' }, reason: 'looked at it' })).toBe(202);
    const done = await flows.ended(run);
    expect([done.status, taskOf(done, 'b')?.output, flows.callsOf(run)]).toEqual(['succeeded', { by: 'hand' }, ['a']]);
  });
});
