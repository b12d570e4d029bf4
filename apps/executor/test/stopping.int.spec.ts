import { setTimeout as sleep } from 'node:timers/promises';
import { defineAction } from '@foldwork/actions';
import { LogUnavailable, type EventLog, type Json } from '@foldwork/events';
import { actionList, ExecutorWorld } from './executor-world';

let world: ExecutorWorld;
beforeEach(async () => {
  world = await ExecutorWorld.open();
});
afterEach(() => world.close());

it('begins nothing that it claimed when its time for stopping was over already, and gives it up at once', async () => {
  let isAway = true;
  const begun: string[] = [];
  const append: EventLog['append'] = (events) => (isAway ? Promise.reject(new LogUnavailable('disconnected', 'store away')) : world.log.append(events));
  const log = new Proxy(world.log, { get: (target, key) => (key === 'append' ? append : Reflect.get(target, key)) as unknown });
  const work = defineAction<Json>({ name: 'work', effect: 'none', run: () => (begun.push('work'), sleep(30_000)) });
  const executor = await world.start(actionList(work), { stopMs: 50 }, { log });
  const runId = await world.request([{ id: 'a', action: 'work' }]);
  await world.decide(runId);
  await world.until(() => world.linesOf('executor_trouble').length > 0, 'a claim that waits for the store');
  const stopped = executor.stop();
  await sleep(200); // longer than it may take to stop
  isAway = false;
  await stopped;
  expect(begun).toEqual([]);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'failed', error: { code: 'LEASE_LOST' } });
});
