import { EVERYTHING_WORKFLOWS, NO_FAULTS, Simulation, scripted } from '@foldwork/testing';

const play = async (crashAt?: { append: number; when: 'before' | 'after' }) => {
  const sim = new Simulation({ faults: { ...NO_FAULTS, ...(crashAt && { crashAt }) }, actions: { step: scripted, look: () => ({ output: null }) } });
  for (const workflow of EVERYTHING_WORKFLOWS) sim.define(workflow);
  const runId = await sim.request('everything');
  await sim.settle();
  return { sim, runId };
};

it('ends the same whichever append a process dies before or after; what is done is not done again', async () => {
  const calm = await play();
  const expected = await calm.sim.statuses(calm.runId);
  expect((await calm.sim.run(calm.runId)).status).toBe('succeeded');
  expect(calm.sim.appends.count).toBeGreaterThanOrEqual(30);
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
