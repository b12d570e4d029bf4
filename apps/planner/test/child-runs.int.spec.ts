import { formatRunId, LogUnavailable, type DomainEvent, type NewEvent, type RunId, type TaskPath } from '@foldwork/events';
import type { TaskState } from '@foldwork/domain';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
beforeEach(async () => {
  world = await PlannerWorld.open();
});
afterEach(() => world.close());

/** Far less than the time after which a parent looks for its children by itself. */
const SOON_MS = 4_000;
const sub = (more: object = {}) => ({ id: 'sub', type: 'composite', workflow: 'child', with: { n: '${ 1 + 1 }' }, ...more });
const subOf = async (runId: RunId): Promise<TaskState | undefined> => (await world.run(runId)).tasks.get('sub' as TaskPath);

/** The child run, once its first command is out. */
const childOf = async (runId: RunId): Promise<RunId> => {
  await world.until(async () => world.commandsOf((await subOf(runId))?.childRun?.runId as RunId).length > 0, 'a command of the child run');
  return (await subOf(runId))?.childRun?.runId as RunId;
};
const fail = async (runId: RunId, attempt = 1): Promise<void> => {
  await world.until(() => world.commandsOf(runId).length >= attempt, `command ${attempt}`, SOON_MS);
  const version = (await world.run(runId)).tasks.get('a' as TaskPath)?.version ?? 0;
  await world.claim(runId, 'a', { version, attempt });
  await world.complete(runId, 'a', version + 1, { attempt, transition: 'fail', to: 'failed', error: { code: 'NO', message: 'no' } });
};
const CHILD = [{ id: 'a', retry: { maximumAttempts: 1 } }];

it('starts a child run with its input and its parent; the output of the child becomes that of the task, at once', async () => {
  await world.start();
  await world.publish('child', CHILD, { output: { twice: '${ input.n * 2 }' } });
  const runId = await world.request([sub(), { id: 'after' }], undefined, { orchestrators: {} });
  const child = await childOf(runId);
  expect((await world.run(child)).request).toMatchObject({ workflow: 'child', input: { n: 2 }, parent: { runId, task: 'sub' }, retry: { maximum: 0 } });
  await world.work(child);
  await world.until(async () => (await subOf(runId))?.status === 'completed', 'the parent goes on', SOON_MS);
  expect((await subOf(runId))?.output).toEqual({ twice: 4 });
  await world.until(() => world.commandsOf(runId).length > 0, 'what comes after it');
});

it('names in the request of a child what asked for it, and the run that all began with', async () => {
  await world.start();
  await world.publish('grandchild', CHILD);
  await world.publish('child', [sub({ workflow: 'grandchild', with: {} })]);
  const runId = await world.request([sub()]);
  await world.until(async () => (await subOf(runId))?.childRun !== undefined, 'the task that waits for it');
  const child = (await subOf(runId))?.childRun?.runId as RunId;
  await world.until(async () => (await world.log.readRuns([child])).length > 0, 'the child run');
  const grandchild = await childOf(child);
  const lineages = await Promise.all([child, grandchild].map(async (id) => (await world.run(id)).lineage));
  expect(lineages).toEqual([runId, child].map((asking) => ({ causationId: `${formatRunId(asking)}/sub/1`, correlationId: formatRunId(runId) })));
});

it('tells the planner of the parent, whichever planner has the child', async () => {
  await world.start({ name: 'first', leaseMs: 900 });
  await world.start({ name: 'second', leaseMs: 900 });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  await world.publish('child', CHILD);
  const runs = await Promise.all(Array.from({ length: 10 }, () => world.request([sub()])));
  const children = await Promise.all(runs.map(childOf));
  await Promise.all(children.map((child) => world.work(child)));
  await Promise.all(runs.map((runId) => world.reached(runId, 'succeeded', SOON_MS)));
});

it('goes on with the parent when the log was away just when the child ended', async () => {
  let isAway = true;
  const log = new Proxy(world.log, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'append') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (events: readonly NewEvent[]) => {
        if (isAway && events.some(({ task, data }) => task === 'sub' && data.includes('"to":"completed"'))) {
          isAway = false;
          throw new LogUnavailable('disconnected', 'away for a moment');
        }
        return target.append(events);
      };
    },
  });
  await world.start({}, { log });
  await world.publish('child', CHILD);
  const runId = await world.request([sub(), { id: 'after' }]);
  await world.work(await childOf(runId));
  await world.until(() => world.commandsOf(runId).length > 0, 'what comes after it', SOON_MS);
  expect(isAway).toBe(false);
  expect(await subOf(runId)).toMatchObject({ status: 'completed' });
});

it.each([
  ['is not there', undefined, 'UNKNOWN_WORKFLOW'],
  ['refuses the input', { input: { type: 'object', required: ['shop'] } }, 'INPUT_INVALID'],
  ['has a lane whose key cannot be made', { lane: { key: 'input.shop', limit: 1 } }, 'LANE_KEY_FAILED'],
])('fails the task where the workflow %s', async (_case, fields, code) => {
  await world.start();
  if (fields !== undefined) await world.publish('child', CHILD, fields);
  const runId = await world.request([sub()]);
  expect(await world.reached(runId, 'failed')).toMatchObject({ error: { code } });
  expect((await world.log.readAfter(0, 9_999)).filter(({ type }) => type === 'RunRequested')).toHaveLength(1);
});

it('has the failed child run tried again when its task is, and fails with its reason when that was the last time', async () => {
  await world.start();
  await world.publish('child', CHILD);
  const runId = await world.request([sub({ retry: { maximumAttempts: 2, initialInterval: 10 } })]);
  const child = await childOf(runId);
  await fail(child);
  await world.until(async () => (await world.run(child)).attempt === 2 && world.commandsOf(child).length === 2, 'the child run again', SOON_MS);
  await fail(child, 2);
  expect(await world.reached(runId, 'failed', SOON_MS)).toMatchObject({ failedTask: 'sub', error: { code: 'NO', message: 'no' } });
  expect(await subOf(runId)).toMatchObject({ attempt: 2 });
});

it('has the failed child run tried again by a planner that was not there when it failed', async () => {
  await world.start();
  await world.publish('child', CHILD);
  const runId = await world.request([sub({ retry: { maximumAttempts: 2, initialInterval: 2_000 } })]);
  const child = await childOf(runId);
  await fail(child);
  await world.until(async () => (await subOf(runId))?.status === 'failed', 'the task that waited for it');
  await world.stopAll();
  await world.start();
  await world.until(async () => (await world.run(child)).attempt === 2, 'the child run again', SOON_MS);
  await fail(child, 2);
  await world.reached(runId, 'failed', SOON_MS);
});

it('has the failed child run tried again, whichever planner has heard of its end', async () => {
  await world.start({ name: 'first', leaseMs: 900 });
  await world.start({ name: 'second', leaseMs: 900 });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  await world.publish('child', CHILD);
  const runs = await Promise.all(Array.from({ length: 10 }, () => world.request([sub({ retry: { maximumAttempts: 2, initialInterval: 500 } })])));
  const children = await Promise.all(runs.map(childOf));
  await Promise.all(children.map((child) => fail(child)));
  await Promise.all(children.map((child) => fail(child, 2)));
  await Promise.all(runs.map((runId) => world.reached(runId, 'failed', SOON_MS)));
});

it('cancels the child run of a run that is canceled, and the child of that one', async () => {
  await world.start();
  await world.publish('grandchild', CHILD);
  await world.publish('child', [{ ...sub(), workflow: 'grandchild' }]);
  const runId = await world.request([sub()]);
  await world.until(async () => (await subOf(runId))?.childRun !== undefined, 'the child run');
  const child = (await subOf(runId))?.childRun?.runId as RunId;
  await world.reached(child, 'running');
  const grandchild = await childOf(child);
  await world.claim(grandchild, 'a');
  await world.command(runId, { kind: 'cancel' });
  await Promise.all([runId, child, grandchild].map((each) => world.reached(each, 'canceled', SOON_MS)));
  await world.until(async () => (await world.agendaRows()).length === 0, 'nothing left in the agenda');
});

/** Ends a child run without anybody being told. */
const endSilently = async (child: RunId): Promise<void> => {
  const silently = (task: string, version: number, event: DomainEvent) => world.append(child, { task: task as TaskPath, version, decide: false }, event);
  await world.claim(child, 'a');
  await silently('a', 2, { type: 'TaskTransitioned', data: { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: Date.now(), executor: 'worker#1', output: null } });
  await silently('', 3, { type: 'RunCompleted', data: { output: { done: true }, at: Date.now() } });
};

it('finds out after a kill how its child run ended, although nobody is told any more', async () => {
  await world.start();
  await world.publish('child', CHILD);
  const runId = await world.request([sub()]);
  const child = await childOf(runId);
  await world.stopAll();
  await endSilently(child);
  await world.start();
  await world.reached(runId, 'succeeded', SOON_MS);
  expect((await subOf(runId))?.output).toEqual({ done: true });
});

it('finds out by itself after a while, if it is never told', async () => {
  let lateMs = 0;
  await world.start({}, { now: () => Date.now() + lateMs });
  await world.publish('child', CHILD);
  const runId = await world.request([sub()]);
  await endSilently(await childOf(runId));
  lateMs = 11_000;
  await world.reached(runId, 'succeeded', SOON_MS);
});

it('starts child runs in the lane of their workflow', async () => {
  await world.start();
  await world.publish('child', CHILD, { lane: { key: 'input.n', limit: 1 } });
  const runs = [await world.request([sub()]), await world.request([sub()])];
  const [first, second] = await Promise.all(runs.map(async (runId) => {
    await world.until(async () => (await subOf(runId))?.childRun !== undefined, 'the child run');
    return (await subOf(runId))?.childRun?.runId as RunId;
  })) as [RunId, RunId];
  await world.until(() => [first, second].some((child) => world.commandsOf(child).length > 0), 'the first one');
  const [early, late] = world.commandsOf(first).length > 0 ? [first, second] : [second, first];
  expect((await world.run(late)).status).toBe('pending');
  await world.work(early);
  await world.until(() => world.commandsOf(late).length > 0, 'the second one');
});
