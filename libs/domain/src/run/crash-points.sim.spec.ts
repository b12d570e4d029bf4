import { NO_FAULTS, Simulation, scripted } from '@foldwork/testing';

/** One of everything, so that every kind of append is among those at which a process dies. */
const EVERYTHING = `
workflow: everything
tasks:
  - { id: draft, type: basic, action: step, effect: keyed, key: run.id, with: { effect: true, output: { n: 1 } } }
  - { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { effect: true } }
  - id: images
    type: collection
    items: '1..3'
    mode: sequential
    each: [ { id: upload, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { effect: true } } ]
  - id: both
    type: parallel
    tasks:
      - { id: left, type: composite, tasks: [ { id: a, type: basic, action: step }, { id: nap, type: wait, for: 1s }, { id: b, type: basic, action: step } ] }
      - { id: right, type: composite, workflow: other }
  - { id: tell, type: signal, signal: { id: go, to: { run: '\${ run.id }' } } }
  - { id: hear, type: wait, waitFor: go, timeout: 1h, processor: { type: basic, action: step, with: { output: { heard: true } } } }
  - { id: pick, type: router, condition: "'x'", routes: { x: end1, y: end2 } }
  - { id: end1, type: basic, action: step, sleep: 500ms }
  - { id: end2, type: basic, action: step }
  - { id: sum, type: aggregate, outputs: { n: '\${ tasks.draft.output.n }' } }
`;
const OTHER = 'workflow: other\ntasks:\n  - { id: only, type: basic, action: step }';

const play = async (crashAt?: { append: number; when: 'before' | 'after' }) => {
  const sim = new Simulation({ faults: { ...NO_FAULTS, ...(crashAt && { crashAt }) }, actions: { step: scripted, look: () => ({ output: null }) } });
  sim.define(OTHER);
  sim.define(EVERYTHING);
  const runId = await sim.request('everything');
  await sim.settle();
  return { sim, runId };
};

it('ends the same whichever append a process dies before or after; what is done is not done again', async () => {
  const calm = await play();
  const expected = await calm.sim.statuses(calm.runId);
  expect((await calm.sim.run(calm.runId)).status).toBe('succeeded');
  expect(calm.sim.appends.count).toBeGreaterThan(30);
  for (let append = 0; append < calm.sim.appends.count; append += 1) {
    for (const when of ['before', 'after'] as const) {
      const { sim, runId } = await play({ append, when });
      expect([append, when, (await sim.run(runId)).status]).toEqual([append, when, 'succeeded']);
      expect(await sim.statuses(runId)).toEqual(expected);
      const effects = ['pay', 'images[0]', 'images[1]', 'images[2]'].map((once) => sim.world.effectsOf(runId, once));
      expect([append, when, effects]).toEqual([append, when, [1, 1, 1, 1]]);
      const { tasks } = await sim.run(runId);
      const late = sim.world.calls.filter((call) => call.runId === runId && call.now > (tasks.get(call.task)?.endedAt ?? Infinity));
      expect([append, when, late]).toEqual([append, when, []]);
    }
  }
}, 120_000);
