import { EVERYTHING_WORKFLOWS, Simulation, scripted, UNKIND } from '@foldwork/testing';
import { openEvent, type RecordedEvent } from '@foldwork/events/contracts';
import { decideRun, lookAtEverything } from './decide-run';

const NESTED = `
workflow: nested
tasks:
  - id: outer
    type: parallel
    strategy: wait_all
    maxWorkers: 2
    tasks:
      - { id: inner, type: composite, tasks: [ { id: leaf, type: basic, action: step } ] }
`;
const transitions = (events: readonly RecordedEvent[]) =>
  events.flatMap((event) => {
    const opened = openEvent(event);
    return opened.type === 'TaskTransitioned' ? [{ task: event.task, position: event.position, ...opened.data }] : [];
  });

describe('containers', () => {
  it('[S3-53] the end of a child ends parent and grandparent; looking again writes nothing', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    const definition = sim.define(NESTED);
    const runId = await sim.request('nested');
    await sim.settle();
    const ends = transitions(await sim.events(runId)).filter(({ transition }) => transition === 'complete');
    expect(ends.map(({ task }) => task)).toEqual(['outer/inner/leaf', 'outer/inner', 'outer']);
    expect((ends[2]?.position ?? 0) - (ends[1]?.position ?? 0)).toBe(1);
    const run = await sim.run(runId);
    lookAtEverything(run);
    const again = decideRun(run, definition, { now: sim.now + 1, metadata: { actor: 'test' }, quarantineMs: 0, isLost: () => false });
    expect([again.events, again.segments, again.wakeAt]).toEqual([[], [], undefined]);
  });

  it('[S3-21] plans its children, with count, strategy and workers, in the append that starts it; children that cannot be made leave none', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(NESTED);
    sim.define("workflow: bad\ntasks:\n  - { id: all, type: collection, items: '${ input.none }', each: [ { id: a, type: basic, action: step } ] }");
    const runId = await sim.request('nested');
    const bad = await sim.request('bad');
    await sim.settle();
    const [begin] = transitions(await sim.events(runId)).filter(({ task }) => task === 'outer');
    expect(begin).toMatchObject({ transition: 'begin', children: { childCount: 1, strategy: 'wait_all', maxWorkers: 2, tasks: [{ id: 'inner', type: 'composite' }] } });
    expect(await sim.statuses(bad)).toEqual({ all: 'failed' });
    expect(await sim.task(bad, 'all')).toMatchObject({ error: { code: 'EXPRESSION_ERROR' } });
  });

  it('that were rolled back do not go on when what they stand in is tried again: nothing in them is left pending', async () => {
    const sim = new Simulation({ actions: { step: scripted, undo: scripted } });
    sim.define(`
workflow: undone
tasks:
  - id: all
    type: collection
    items: '1..1'
    retry: { maximumAttempts: 2 }
    each:
      - id: pair
        type: composite
        rollback: onFailure
        tasks: [ { id: a, type: basic, action: step, undo: { action: undo } }, { id: b, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 9 } } ]
`);
    const runId = await sim.request('undone');
    await sim.settle();
    expect(await sim.statuses(runId)).toEqual({ all: 'failed', 'all[0]': 'failed', 'all[0]/a': 'completed', 'all[0]/b': 'failed' });
    expect([sim.world.undone, sim.world.callsOf('all[0]/b')]).toEqual([['all[0]/a'], 1]);
  });

  it('[S3-55] all eight types go the same way; each task ends once, however often deliveries are doubled', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const sim = new Simulation({ seed, faults: UNKIND, actions: { step: scripted, look: () => ({ output: null }) } });
      for (const workflow of EVERYTHING_WORKFLOWS) sim.define(workflow);
      const runId = await sim.request('everything');
      await sim.settle();
      const run = await sim.run(runId);
      expect([seed, run.status]).toEqual([seed, 'succeeded']);
      expect(new Set([...run.tasks.values()].map(({ type }) => type))).toEqual(new Set(['basic', 'wait', 'signal', 'router', 'parallel', 'collection', 'composite', 'aggregate']));
      const completions = transitions(await sim.events(runId)).filter(({ to }) => to === 'completed').map(({ task }) => task);
      expect(completions.length).toBe(new Set(completions).size);
    }
  });
});
