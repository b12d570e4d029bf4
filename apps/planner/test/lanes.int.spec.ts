import { setTimeout as sleep } from 'node:timers/promises';
import { formatRunId, LogUnavailable, RUN_STREAM, type DefinitionHash, type EventLog, type NewEvent, type RunId } from '@foldwork/events';
import { runIdAt } from '@foldwork/testing';
import { shardOf } from '../src/shard-share';
import { mortal } from './mortal';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
let definition: DefinitionHash;
beforeEach(async () => {
  world = await PlannerWorld.open();
  definition = await world.define([{ id: 'a' }]);
});
afterEach(() => world.close());

const AT_ONCE = { delayMs: 0, maximum: 0 };
const inLane = (limit: number, key = 'shop/1'): Promise<RunId> => world.request(definition, AT_ONCE, { lane: { key, limit } });
const isCommanded = (runId: RunId): boolean => world.commandsOf(runId).length > 0;
const admitted = async (): Promise<RunId[]> => (await world.log.readAfter(0, 9_999)).filter(({ type }) => type === 'RunAdmitted').map(({ runId }) => runId);
/** Long enough for a planner to do what it must not do. */
const PATIENCE_MS = 300;

it('lets so many runs into a lane at a time, the others in the order of their requests; another lane does not wait', async () => {
  await world.start();
  const runs = [await inLane(2), await inLane(2), await inLane(2), await inLane(2)];
  const elsewhere = await inLane(1, 'shop/2');
  await world.until(() => [...runs.slice(0, 2), elsewhere].every(isCommanded), 'the first two and the other lane');
  await sleep(PATIENCE_MS);
  expect(runs.map(isCommanded)).toEqual([true, true, false, false]);
  for (const runId of runs) {
    await world.until(() => isCommanded(runId), 'its turn');
    await world.work(runId);
  }
  expect((await admitted()).filter((runId) => runId !== elsewhere)).toEqual(runs);
});

it('knows after a kill who is in a lane and who waits', async () => {
  const life = mortal(world.log, world.pool);
  await world.start({}, life);
  const [first, second] = [await inLane(1), await inLane(1)];
  await world.until(() => isCommanded(first), 'the first one');
  await world.claim(first, 'a');
  await sleep(PATIENCE_MS); // rows of both are written
  life.kill();
  await world.start();
  await sleep(PATIENCE_MS);
  expect(isCommanded(second)).toBe(false);
  await world.complete(first, 'a');
  await world.until(() => isCommanded(second), 'the second one');
});

it('keeps the limit and the order across planners: each admits the runs of its own shards', async () => {
  await world.start({ name: 'first', leaseMs: 900 });
  await world.start({ name: 'second', leaseMs: 900 });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  const runs: RunId[] = [];
  for (let n = 0; n < 16; n += 1) runs.push(await inLane(1));
  for (const [index, runId] of runs.entries()) {
    await world.until(() => isCommanded(runId), 'its turn');
    expect(runs.slice(index + 1).some(isCommanded)).toBe(false);
    await world.work(runId);
  }
  expect(await admitted()).toEqual(runs);
  const by = (type: string) => async (runId: RunId) => (await world.events(runId)).find((event) => event.type === type)?.metadata;
  const admittedBy = await Promise.all(runs.map(by('RunAdmitted')));
  expect(admittedBy).toEqual(await Promise.all(runs.map(by('RunPlanned')))); // whose shard it is
  expect(new Set(admittedBy).size).toBe(2);
});

it('admits a run as soon as the store is back that was away when its turn came', async () => {
  let refusals = 0;
  const log = new Proxy(world.log, {
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (key !== 'append') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return (events: Parameters<EventLog['append']>[0]) => {
        if (refusals >= 2 || !events.some(({ type }) => type === 'RunAdmitted')) return target.append(events);
        refusals += 1;
        return Promise.reject(new LogUnavailable('disconnected', 'away'));
      };
    },
  });
  await world.start({}, { log });
  const runId = await inLane(1);
  await world.until(() => isCommanded(runId), 'its turn');
  expect(refusals).toBe(2);
});

it('passes over a run that was canceled in the queue; a failed one gives its place away and queues again when it is tried again', async () => {
  await world.start();
  definition = await world.define([{ id: 'a', retry: { maximumAttempts: 1 } }]);
  const [first, gone, third] = [await inLane(1), await inLane(1), await inLane(1)];
  await world.until(() => isCommanded(first), 'the first one');
  await world.command(gone, { kind: 'cancel' });
  await world.claim(first, 'a');
  await world.complete(first, 'a', 1, { transition: 'fail', to: 'failed', error: { code: 'NO', message: 'no' } });
  await world.until(() => isCommanded(third), 'the third one');
  await world.command(first, { kind: 'retry' });
  await sleep(PATIENCE_MS);
  expect([isCommanded(gone), world.commandsOf(first).length]).toEqual([false, 1]);
  await world.work(third);
  await world.until(() => world.commandsOf(first).length === 2, 'the first one again');
  expect(await admitted()).toEqual([first, third, first]);
});

it('knows the lane of a failed run that is tried again, also where the planner has started since', async () => {
  definition = await world.define([{ id: 'a', retry: { maximumAttempts: 1 } }]);
  await world.start();
  const failed = await inLane(1);
  await world.until(() => isCommanded(failed), 'its turn');
  await world.claim(failed, 'a');
  await world.complete(failed, 'a', 1, { transition: 'fail', to: 'failed', error: { code: 'NO', message: 'no' } });
  await world.reached(failed, 'failed');
  await sleep(PATIENCE_MS); // its row is gone
  await world.stopAll();
  await world.start();
  const holder = await inLane(1);
  await world.until(() => isCommanded(holder), 'the turn of another one');
  await world.command(failed, { kind: 'retry' });
  await sleep(PATIENCE_MS);
  expect(world.commandsOf(failed)).toHaveLength(1);
  await world.work(holder);
  await world.until(() => world.commandsOf(failed).length === 2, 'its turn again');
});

it('knows the order of a queue after a restart, also where a run left its lane and came back meanwhile', async () => {
  const requested = async (parity: number): Promise<RunId> => {
    let runId = runIdAt(Date.now());
    while (shardOf(runId) % 2 !== parity) runId = runIdAt(Date.now());
    const data = { workflow: 'test', definition, input: {}, at: Date.now(), retry: AT_ONCE, lane: { key: 'shop/1', limit: 1 } };
    await world.append(runId, { task: RUN_STREAM, version: 1, decide: true }, { type: 'RunRequested', data });
    return runId;
  };
  const [ofFirst, ofSecond] = [0, 1];
  const life = mortal(world.log, world.pool);
  await world.start({ name: 'first', leaseMs: 6_000 });
  await world.start({ name: 'second', leaseMs: 6_000 }, life);
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  const back = await requested(ofSecond);
  await world.until(() => isCommanded(back), 'its turn');
  await sleep(PATIENCE_MS); // its row is written
  life.kill();
  const failure = { error: { code: 'NO', message: 'no' }, at: Date.now() };
  await world.append(back, { task: RUN_STREAM, version: (await world.run(back)).version + 1, decide: true }, { type: 'RunFailed', data: failure });
  const holder = await requested(ofFirst);
  await world.until(() => isCommanded(holder), 'the turn of the next one');
  await world.command(back, { kind: 'retry' });
  await requested(ofFirst);
  await sleep(PATIENCE_MS); // rows of both are written
  await world.start({ name: 'second', leaseMs: 6_000 });
  await world.work(holder);
  await world.until(async () => (await admitted()).length === 3, 'the turn of the one that came back');
  expect(await admitted()).toEqual([back, holder, back]);
});

it('sets a run aside of which an event cannot be read, in the queue or at its request; the others go on, also after a restart', async () => {
  const append = (runId: RunId, event: Pick<NewEvent, 'task' | 'version' | 'type' | 'data'>) =>
    world.log.append([{ ...event, runId, namespace: world.namespace, schemaVersion: 1, decide: false, metadata: '{}' }]);
  await world.start();
  const [first, spoilt, third] = [await inLane(1), await inLane(1), await inLane(1)];
  await append(spoilt, { task: RUN_STREAM, version: 2, type: 'RunPlanned', data: '{}' });
  const nonsense = runIdAt(Date.now());
  await append(nonsense, { task: RUN_STREAM, version: 1, type: 'RunRequested', data: '{"lane":null}' });
  await world.until(() => isCommanded(first), 'the first one');
  await world.work(first);
  await world.until(() => isCommanded(third), 'the third one');
  const setAside = world.linesOf('run_set_aside').map(({ runId }) => runId);
  expect(setAside).toEqual(expect.arrayContaining([spoilt, nonsense].map(formatRunId)));
  await sleep(PATIENCE_MS);
  await world.stopAll();
  await world.start();
  const fourth = await inLane(1);
  await sleep(PATIENCE_MS);
  expect(isCommanded(fourth)).toBe(false);
  await world.work(third);
  await world.until(() => isCommanded(fourth), 'the fourth one');
});
