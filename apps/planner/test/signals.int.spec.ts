import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowRegistry } from '@foldwork/platform';
import { BROADCAST_RUN, broadcastStream, formatRunId, lineageOf, newEvent, parseRunId, RUN_STREAM, type DefinitionHash, type RecordedEvent, type RunId, type TaskPath } from '@foldwork/events';
import { runIdAt } from '@foldwork/testing';
import { afterAppend, beforeQuery, mortal } from './mortal';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
beforeEach(async () => {
  world = await PlannerWorld.open();
});
afterEach(() => world.close());

const AT_ONCE = { delayMs: 0, maximum: 0 };
const PATIENCE_MS = 300;
const wait = (more: object = {}) => ({ id: 'gate', type: 'wait', waitFor: 'go', timeout: 3_600_000, ...more });
const tell = (more: object = {}) => ({ id: 'tell', type: 'signal', signal: { id: 'go', payload: { n: '${ 1 + 1 }' }, ...more } });
/** What follows it is decided because of the time, while the log is read on. */
const nap = { id: 'nap', type: 'wait', for: 200 };

const waiting = async (more?: object): Promise<RunId> => {
  const runId = await world.request([wait(more)]);
  await world.until(async () => (await world.run(runId)).waiting.size === 1, 'a waiting run');
  return runId;
};
const received = async (runId: RunId): Promise<RecordedEvent[]> => (await world.log.readRuns([runId])).filter(({ type }) => type === 'SignalReceived');
const outputOf = async (runId: RunId, task: string) => (await world.run(runId)).tasks.get(task as TaskPath)?.output;

it('[S3-14] [S3-15] a signal task sends one event, which releases the waits of all runs that it is meant for, and names them', async () => {
  await world.start();
  const [one, two, other] = [await waiting(), await waiting({ correlationId: 'order-1' }), await waiting({ correlationId: 'order-2' })];
  await sleep(PATIENCE_MS); // what they wait for is in the agenda
  const sender = await world.request([tell({ to: { correlationId: 'order-1' } })]);
  await world.reached(sender, 'succeeded');
  await Promise.all([world.reached(one, 'succeeded'), world.reached(two, 'succeeded')]);
  expect(await outputOf(sender, 'tell')).toEqual({ signalDispatched: true, signalId: expect.any(String), targets: expect.arrayContaining([`run_${one}/gate`, `run_${two}/gate`]) });
  expect(await outputOf(two, 'gate')).toMatchObject({ signal: { payload: { n: 2 } } });
  expect([(await received(BROADCAST_RUN)).length, (await received(one)).length, (await received(two)).length, (await received(other)).length]).toEqual([1, 1, 1, 0]);
  expect((await world.run(other)).waiting.size).toBe(1);
});

it('carries the trace of the run that sends it, and what asked for it: to those that it releases and to those that it starts', async () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await world.start();
  await world.publish('started', [{ id: 'a' }], { triggers: [{ signal: 'go' }] });
  const runId = await waiting();
  await sleep(PATIENCE_MS); // what it waits for is in the agenda
  const sender = runIdAt(Date.now());
  const data = { workflow: 'test', definition: await world.define([tell()]), input: {}, at: Date.now(), retry: AT_ONCE };
  await world.log.append([newEvent({ runId: sender, namespace: world.namespace, metadata: { actor: 'test', traceparent } }, RUN_STREAM, 1, { type: 'RunRequested', data }, true)]);
  await Promise.all([world.reached(sender, 'succeeded'), world.reached(runId, 'succeeded')]);
  const { targets } = (await outputOf(sender, 'tell')) as { targets: string[] };
  const started = targets.flatMap((target) => parseRunId(target) ?? []);
  expect(started).toHaveLength(1);
  const [request] = await world.log.readRuns(started);
  const [signal, broadcast] = [await received(runId), await received(BROADCAST_RUN)];
  const version = (await world.run(sender)).tasks.get('tell' as TaskPath)?.version ?? 0;
  const lineage = { traceparent, causationId: expect.stringMatching(`^${formatRunId(sender)}/tell/[1-${version}]$`), correlationId: formatRunId(sender) };
  expect([request, ...signal, ...broadcast].map((event) => event && lineageOf(event.metadata))).toEqual([lineage, lineage, lineage]);
});

it('reaches waits that began a moment ago, before anything of them is in the agenda', async () => {
  await world.start();
  const runId = await world.request([wait()]);
  await world.until(async () => (await world.run(runId)).waiting.size === 1, 'a waiting run');
  const sender = await world.request([tell()]);
  await world.reached(sender, 'succeeded');
  await world.reached(runId, 'succeeded', 2_000);
});

it('reaches a wait of the run that sends it, which began together with its task', async () => {
  await world.start();
  const runId = await world.request([nap, { id: 'both', type: 'parallel', tasks: [wait(), tell()] }]);
  await world.reached(runId, 'succeeded', 2_000);
});

it('reaches a wait that is in the log although its planner has not heard so yet', async () => {
  const log = afterAppend(world.log, async (events) => {
    if (!events.some(({ task, data }) => task === 'gate' && data.includes('"to":"waiting"'))) return;
    const data = { signal: 'go', signalId: 'one', payload: {}, at: Date.now() };
    await world.append(BROADCAST_RUN, { task: broadcastStream(world.namespace, 'one'), version: 1, decide: true }, { type: 'SignalReceived', data });
    await sleep(PATIENCE_MS);
  });
  await world.start({}, { log });
  const runId = await world.request([nap, wait()]);
  await world.reached(runId, 'succeeded', 2_000);
});

it('reaches a wait that began while an older decision of its run, no longer in memory, was being carried out', async () => {
  const start = Promise.withResolvers<undefined>();
  const log = afterAppend(world.log, async (events) => {
    if (events.some(({ type, data }) => type === 'RunRequested' && data.includes('"parent"'))) await start.promise;
  });
  await world.start({ cacheRuns: 1 }, { log });
  await world.publish('child', [{ id: 'a' }]);
  const tasks = [{ id: 'a', type: 'basic', action: 'work' }, wait()];
  const runId = await world.request([nap, { id: 'both', type: 'parallel', tasks: [{ id: 'sub', type: 'composite', workflow: 'child' }, { id: 'list', type: 'composite', tasks }] }]);
  await world.until(() => world.commandsOf(runId).length > 0, 'a command');
  await world.until(async () => (await world.run(runId)).childRuns.size > 0, 'the child run');
  await world.claim(runId, 'both/list/a');
  await world.complete(runId, 'both/list/a');
  await sleep(PATIENCE_MS); // a second state of the run would be decided meanwhile
  start.resolve(undefined);
  await world.until(async () => (await world.run(runId)).waiting.size === 1, 'a waiting run');
  await sleep(PATIENCE_MS); // what it waits for is in the agenda
  await world.request([tell()]);
  await world.until(async () => (await world.run(runId)).waiting.size === 0, 'the signal', 2_000);
});

it('reaches waits in runs of another planner, also those that nobody else can know of yet', async () => {
  await world.start({ name: 'first', leaseMs: 900 });
  await world.start({ name: 'second', leaseMs: 900 });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  const waiters = await Promise.all(Array.from({ length: 10 }, () => waiting()));
  const sender = await world.request([tell()]);
  await Promise.all(waiters.map((runId) => world.reached(runId, 'succeeded')));
  await world.reached(sender, 'succeeded');
  for (const runId of waiters) expect(await received(runId)).toHaveLength(1);
});

it('reaches waits that began when a child run of another planner ended', async () => {
  await world.start({ name: 'first', leaseMs: 900 });
  await world.start({ name: 'second', leaseMs: 900 });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  await world.publish('child', [{ id: 'a' }]);
  const parents = await Promise.all(Array.from({ length: 10 }, () => world.request([{ id: 'sub', type: 'composite', workflow: 'child' }, wait()])));
  const childOf = async (runId: RunId) => (await world.run(runId)).tasks.get('sub' as TaskPath)?.childRun?.runId as RunId;
  for (const runId of parents) await world.until(async () => world.commandsOf(await childOf(runId)).length > 0, 'a command of the child run');
  await Promise.all(parents.map(async (runId) => world.work(await childOf(runId))));
  for (const runId of parents) await world.until(async () => (await world.run(runId)).waiting.size === 1, 'a waiting run');
  await world.reached(await world.request([tell()]), 'succeeded');
  await Promise.all(parents.map((runId) => world.reached(runId, 'succeeded', 2_000)));
});

it('reaches waits that could not be written into the agenda at first', async () => {
  let failures = 0;
  const pool = beforeQuery(world.pool, 'agenda_save', async ([, , , runs]) => {
    if (!Array.isArray(runs) || runs.length === 0 || failures === 3) return;
    failures += 1;
    throw new Error('connection lost');
  });
  await world.start({}, { pool });
  const runId = await waiting();
  await world.reached(await world.request([tell()]), 'succeeded');
  await world.reached(runId, 'succeeded', 2_000);
  expect(failures).toBe(3);
});

it('[S3-14] keeps a signal for a named run until it waits, has no target in an ended one, and fails for one that does not exist', async () => {
  await world.start();
  const late = await world.request([{ id: 'a' }, wait()]);
  const ended = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(ended).length > 0, 'a command');
  await world.work(ended);
  const send = async (runId: RunId) => world.request([tell({ to: { run: `run_${runId}` } })]);
  const [kept, lost, failed] = [await send(late), await send(ended), await send(runIdAt(1))];
  await Promise.all([world.reached(kept, 'succeeded'), world.reached(lost, 'succeeded'), world.reached(failed, 'failed')]);
  expect([await outputOf(kept, 'tell'), await outputOf(lost, 'tell')]).toMatchObject([{ targets: [`run_${late}`] }, { targets: [] }]);
  expect((await world.run(failed)).error).toMatchObject({ code: 'SIGNAL_TARGET_UNKNOWN' });
  await world.claim(late, 'a');
  await world.complete(late, 'a');
  await world.reached(late, 'succeeded');
});

it('stays in its namespace: neither waits nor triggers nor named runs of another one get it', async () => {
  await world.start();
  world.namespace = 'other';
  const stranger = await waiting();
  await world.publish('willing', [wait()], { triggers: [{ signal: 'go' }] });
  world.namespace = 'default';
  await sleep(PATIENCE_MS);
  const [everybody, named] = [await world.request([tell()]), await world.request([tell({ to: { run: `run_${stranger}` } })])];
  await Promise.all([world.reached(everybody, 'succeeded'), world.reached(named, 'failed')]);
  expect(await outputOf(everybody, 'tell')).toMatchObject({ targets: [] });
  expect((await world.run(named)).error).toMatchObject({ code: 'SIGNAL_TARGET_UNKNOWN' });
  expect([(await world.run(stranger)).waiting.size, (await received(stranger)).length]).toEqual([1, 0]);
  expect(world.linesOf('trigger_refused')).toEqual([]);
});

it('sends again what failed when its task is tried again', async () => {
  await world.start();
  const target = runIdAt(Date.now());
  const sender = await world.request([{ ...tell({ to: { run: `run_${target}` } }), retry: { maximumAttempts: 2, initialInterval: 1_000 } }]);
  await world.until(async () => (await world.run(sender)).tasks.get('tell' as TaskPath)?.status === 'failed', 'the first attempt failed');
  const definition = await world.define([wait()]);
  const data = { workflow: 'test', definition, input: {}, at: Date.now(), retry: AT_ONCE };
  await world.append(target, { task: '' as TaskPath, version: 1, decide: true }, { type: 'RunRequested', data });
  await Promise.all([world.reached(sender, 'succeeded'), world.reached(target, 'succeeded')]);
});

it('[S3-16] starts the workflows that it triggers with its payload, once, and leaves out one that refuses it', async () => {
  await world.start();
  const triggers = [{ signal: 'go' }];
  await world.publish('willing', [wait({ waitFor: 'never' })], { triggers });
  await world.publish('picky', [wait({ waitFor: 'never' })], { triggers, input: { type: 'object', required: ['shop'] } });
  await world.publish('deaf', [wait({ waitFor: 'never' })], { triggers: [{ signal: 'other' }] });
  const sender = await world.request([tell()]);
  await world.reached(sender, 'succeeded');
  const { targets } = (await outputOf(sender, 'tell')) as { targets: string[] };
  expect(targets).toHaveLength(1);
  const started = parseRunId(targets[0] ?? '') as RunId;
  expect(await world.reached(started, 'running')).toMatchObject({ workflow: 'willing', input: { n: 2 }, request: { trigger: { signal: 'go' } } });
  expect(new Set(world.linesOf('trigger_refused').map(({ workflow }) => workflow))).toEqual(new Set(['picky']));
  expect(world.linesOf('trigger_refused')[0]).toMatchObject({ reason: expect.stringContaining('shop') });
  const requested = (await world.log.readAfter(0, 9_999)).filter(({ type }) => type === 'RunRequested');
  expect(requested).toHaveLength(2);
});

it('reaches everybody else where it would start a workflow that nobody can read', async () => {
  await world.start();
  const lost = randomBytes(32).toString('hex') as DefinitionHash; // nobody stored it
  await new WorkflowRegistry(world.log, Date.now).publish({ namespace: world.namespace, name: 'lost', metadata: { actor: 'test' } }, lost, { labels: ['live'], triggers: ['go'] });
  const runId = await waiting();
  await world.reached(await world.request([tell()]), 'succeeded');
  await world.reached(runId, 'succeeded');
  expect(world.linesOf('trigger_refused')).toEqual(expect.arrayContaining([expect.objectContaining({ workflow: 'lost' })]));
});

it('is delivered once to each although its planner dies between sending and recording it', async () => {
  await world.start();
  const runId = await waiting();
  await sleep(PATIENCE_MS);
  const life = mortal(world.log, world.pool);
  const log = new Proxy(life.log, {
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (key !== 'append') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (events: Parameters<typeof life.log.append>[0]) => {
        const outcome = await target.append(events);
        if (events.some(({ type, runId: to }) => type === 'SignalReceived' && to === runId)) life.kill();
        return outcome;
      };
    },
  });
  await world.stopAll();
  await world.start({}, { log, pool: life.pool });
  const sender = await world.request([tell()]);
  await world.until(async () => (await received(runId)).length === 1, 'the delivery');
  await sleep(PATIENCE_MS);
  expect((await world.run(sender)).status).toBe('running');
  await world.start();
  await Promise.all([world.reached(sender, 'succeeded'), world.reached(runId, 'succeeded')]);
  expect([(await received(runId)).length, (await received(BROADCAST_RUN)).length]).toEqual([1, 1]);
});
