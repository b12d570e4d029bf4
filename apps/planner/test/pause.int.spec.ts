import { setTimeout as sleep } from 'node:timers/promises';
import { afterAppend } from './mortal';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
beforeEach(async () => {
  world = await PlannerWorld.open();
});
afterEach(() => world.close());

it('throws away what is held for a moment when its run is paused before, whoever looked at the run since, and keeps nobody waiting for it', async () => {
  let now = Date.now();
  await world.start({}, { now: () => now });
  const due = now + 1_000;
  const runId = await world.request([{ id: 'wait', type: 'wait', until: new Date(due).toISOString() }, { id: 'after' }]);
  await world.until(async () => (await world.run(runId)).tasks.size > 0, 'a waiting run');
  now = due - 30;
  await sleep(1_300); // it is held
  await world.command(runId, { kind: 'pause' });
  await sleep(100);
  world.bus.hint('executors', 'somebody#1'); // has all runs in memory looked through
  const other = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(other).length > 0, 'a command of another run', 2_000);
  now = due + 1;
  await sleep(300);
  expect(world.commandsOf(runId)).toEqual([]);
  await world.command(runId, { kind: 'resume' });
  await world.until(() => world.commandsOf(runId).length > 0, 'a command');
});

it('marks a command as decided before the pause that came while its decision was being appended', async () => {
  const log = afterAppend(world.log, async ([plan]) => {
    if (plan?.type !== 'RunPlanned') return;
    await world.command(plan.runId, { kind: 'pause' });
    await sleep(200); // the planner has read it
  });
  await world.start({}, { log });
  const definition = await world.define([{ id: 'a' }], { timeout: '1h' });
  for (let runs = 0; runs < 3; runs += 1) {
    const runId = await world.request(definition); // all but the first are decided while the log is being read
    await world.until(() => world.commandsOf(runId).length > 0, 'a command');
    expect(world.commandsOf(runId).map(({ runVersion }) => runVersion)).toEqual([2]);
    expect((await world.run(runId)).version).toBe(3);
  }
});
