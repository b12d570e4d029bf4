import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRunId, LogUnavailable, type DefinitionHash, type EventLog, type NewEvent, type TaskPath } from '@foldwork/events';
import { compileDefinition, type Definition } from '@foldwork/domain';
import { runIdAt } from '@foldwork/testing';
import { replayRun } from '../src/check/replay-run';
import { MANY, READY_MS } from '../src/held-appends';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
beforeEach(async () => {
  world = await PlannerWorld.open();
});
afterEach(() => world.close());

it('plans a requested run and sends its segment, then completes it and forgets it', async () => {
  await world.start();
  const runId = await world.request([{ id: 'a' }, { id: 'b' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  expect(world.commandsOf(runId)[0]?.segments.map((segment) => segment.map(({ path, version, attempt }) => ({ path, version, attempt })))).toEqual([
    [{ path: 'a', version: 0, attempt: 1 }, { path: 'b', version: 0, attempt: 1 }],
  ]);
  await world.work(runId);
  await world.until(async () => (await world.agendaRows()).length === 0, 'an empty agenda');
});

it('leaves no row in the agenda when a run ends while its row is being written', async () => {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const isSave = (query: unknown): boolean => typeof query === 'object' && query !== null && 'name' in query && query.name === 'agenda_save';
  let isHeld = false;
  const pool = new Proxy(world.pool, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'query') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (query: { text: string; values: unknown[][] }) => {
        if (isHeld && isSave(query) && query.values.some((column) => Array.isArray(column) && column.length > 0 && typeof column[0] === 'string')) {
          reached.resolve();
          await opened.promise;
        }
        return target.query(query);
      };
    },
  });
  await world.start({}, { pool });
  isHeld = true;
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length > 0, 'a command');
  await reached.promise;
  await world.work(runId);
  await sleep(300); // the planner has seen the end
  opened.resolve();
  isHeld = false;
  await world.until(async () => (await world.agendaRows()).length > 0, 'the row written late', 1_000).catch(() => undefined);
  await world.until(async () => (await world.agendaRows()).length === 0, 'an empty agenda', 2_000);
});

it('keeps what it was told while it was reading the run', async () => {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isHeld = false;
  const log = new Proxy(world.log, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'readRuns' || !isHeld) return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (...parameters: Parameters<EventLog['readRuns']>) => {
        const events = await target.readRuns(...parameters); // what it has now
        reached.resolve();
        await opened.promise;
        return events;
      };
    },
  });
  await world.start({ cacheRuns: 1 }, { log });
  await world.executors.join('other', 600_000);
  const runId = await world.request([{ id: 'a' }, { id: 'b' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a');
  await sleep(300); // its row is written, so that the loss of an executor makes it look
  const another = await world.request([{ id: 'a' }]); // pushes the run out of memory
  await world.until(() => world.commandsOf(another).length === 1, 'a command');
  isHeld = true;
  await world.executors.leave('other', 1);
  await reached.promise;
  const data = { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: Date.now(), executor: 'worker#1', output: null, starts: { task: 'b' as TaskPath, attempt: 1 } } as const;
  await world.append(runId, { task: 'a' as TaskPath, version: 2, decide: false }, { type: 'TaskTransitioned', data }); // nobody has to decide because of it
  await sleep(400);
  isHeld = false;
  opened.resolve();
  await world.complete(runId, 'b', 0);
  await world.until(async () => (await world.run(runId)).status === 'succeeded', 'the end of the run');
});

it('decides runs even if its memory holds a single one', async () => {
  await world.start({ cacheRuns: 1 });
  const definition = await world.define([{ id: 'a' }]);
  const runs = await Promise.all(Array.from({ length: 40 }, () => world.request(definition)));
  await world.until(() => runs.every((runId) => world.commandsOf(runId).length > 0), 'a command for each run');
  await Promise.all(runs.map((runId) => world.work(runId)));
});

it.each(['all of them', 'all but one that is canceled while they are held'])('ends many waits at one moment, none before it and each once: %s', async (which) => {
  await world.start();
  const due = Date.now() + 1_500;
  const definition = await world.define([{ id: 'wait', type: 'wait', action: undefined, until: new Date(due).toISOString() }, { id: 'after' }]);
  const runs = await Promise.all(Array.from({ length: 3 * MANY }, () => world.request(definition)));
  const canceled = which === 'all of them' ? [] : runs.slice(-1);
  await sleep(due - READY_MS - 20 - Date.now());
  await Promise.all(canceled.map((runId) => world.command(runId, { kind: 'cancel', reason: 'changed its mind' })));
  const others = runs.filter((runId) => !canceled.includes(runId));
  await world.until(() => others.every((runId) => world.commandsOf(runId).length > 0), 'a command for each run');
  for (const runId of canceled) await world.reached(runId, 'canceled');
  const ends = (await world.log.readRuns(others)).filter(({ task, data }) => task === 'wait' && data.includes('"to":"completed"'));
  expect(ends.map(({ runId }) => runId).sort()).toEqual([...others].sort());
  expect(ends.filter(({ recordedAt }) => recordedAt < due)).toEqual([]);
  expect(others.every((runId) => world.commandsOf(runId).length === 1)).toBe(true);
});

it('sets a run aside that it cannot decide, and goes on with the others', async () => {
  await world.start();
  const broken = await world.request(randomBytes(32).toString('hex') as DefinitionHash); // nobody stored it
  const [unreadable, silent] = await Promise.all([world.request([{ id: 'a' }]), world.request([{ id: 'a' }])]);
  await world.until(() => [unreadable, silent].every((runId) => world.commandsOf(runId).length > 0), 'commands');
  const malformed = { task: '' as TaskPath, version: 3, type: 'RunPlanned' as const, schemaVersion: 1, data: '{}', metadata: '{}', namespace: 'default' };
  await world.log.append([{ ...malformed, runId: unreadable, decide: true }]);
  await world.log.append([{ ...malformed, runId: silent, decide: false }]);
  const good = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(good).length === 1, 'a command');
  await world.until(() => [broken, unreadable, silent].every((runId) => world.linesOf('run_set_aside').some((line) => line['runId'] === formatRunId(runId))), 'three runs set aside');
  await world.work(good);
  await world.until(async () => (await world.agendaRows()).some(({ run_id }) => run_id === broken), 'a row for the broken run');
  await sleep(1_500);
  expect(world.linesOf('run_set_aside').filter((line) => line['runId'] === formatRunId(broken)).length).toBeLessThanOrEqual(2); // not again and again
});

it('forgets rows of runs that the log does not have', async () => {
  await world.pool.query(`INSERT INTO agenda (run_id, shard, wake_at, in_flight) VALUES ($1, 3, 1, true)`, [runIdAt(1)]);
  await world.start();
  await world.until(async () => (await world.agendaRows()).length === 0, 'an empty agenda');
});

it('folds anew and decides again when somebody wrote to the run at the same time', async () => {
  let conflicts = 0;
  const log = new Proxy(world.log, {
    get: (target, key) => (key !== 'append' ? Reflect.get(target, key).bind?.(target) ?? Reflect.get(target, key) : async (events: Parameters<EventLog['append']>[0]) => {
      if (conflicts === 0 && events.some(({ type }) => type === 'RunPlanned')) {
        conflicts += 1;
        await world.append(events[0]?.runId as never, { task: '' as TaskPath, version: 2, decide: true }, { type: 'RunPaused', data: { at: Date.now() } });
      }
      return target.append(events);
    }),
  });
  await world.start({}, { log });
  const runId = await world.request([{ id: 'a' }]);
  await world.until(async () => (await world.run(runId)).planned, 'a plan');
  expect(conflicts).toBe(1);
  expect(await world.run(runId)).toMatchObject({ paused: true, version: 3 });
});

it('decides on what the log has after it gave up for a moment, because others were faster each time', async () => {
  let conflicts = 0;
  const log = new Proxy(world.log, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'append') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (events: readonly NewEvent[]) => {
        if (events[0]?.type !== 'RunPlanned' || conflicts === 10) return target.append(events);
        conflicts += 1;
        return { status: 'conflict' };
      };
    },
  });
  await world.start({}, { log });
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length > 0, 'a command', 3_000);
  expect(conflicts).toBe(10);
});

it('waits while the store is away and goes on where it was', async () => {
  let isAway = false;
  const log = new Proxy(world.log, {
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      const isGuarded = key === 'append' || key === 'readAfter' || key === 'readRuns';
      return (...parameters: unknown[]) => (isGuarded && isAway ? Promise.reject(new LogUnavailable('disconnected', 'away')) : value.apply(target, parameters));
    },
  });
  await world.start({}, { log });
  isAway = true;
  const runId = await world.request([{ id: 'a' }]);
  await sleep(200);
  expect(world.commandsOf(runId)).toEqual([]);
  isAway = false;
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
});

it('[S3-42] gives an aggregate up that takes longer than its limit, and goes on; a replay of the log finds the same', async () => {
  await world.start();
  const range = `[${Array.from({ length: 60 }, (_, n) => n).join()}]`;
  const dear = `\${ ${range}.map(a, ${range}.map(b, a * b)).size() }`;
  const tasks = [{ id: 'sum', type: 'aggregate', timeout: 100, outputs: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`o${n}`, dear])) }];
  const runId = await world.request(tasks);
  await world.until(async () => (await world.run(runId)).status === 'failed', 'the end of the run');
  expect((await world.run(runId)).tasks.get('sum' as TaskPath)).toMatchObject({ status: 'timed_out', error: { code: 'TASK_TIMEOUT' } });
  const definition = compileDefinition({ workflow: 'test', tasks } as unknown as Definition, 'x' as DefinitionHash); // what the world stored
  expect(replayRun({ events: await world.log.readRuns([runId]), definition, childRun: () => undefined })).toBeUndefined();
  await world.work(await world.request([{ id: 'a' }]));
});

it('sends a command again that nobody claims, and one that could not be published', async () => {
  let now = Date.now();
  await world.start({}, { now: () => now });
  world.bus.disconnect();
  const runId = await world.request([{ id: 'a' }]);
  await world.until(async () => (await world.run(runId)).planned, 'a plan');
  world.bus.reconnect();
  now += 600;
  await world.until(() => world.commandsOf(runId).length >= 1, 'the command published after all');
  const before = world.commandsOf(runId).length;
  now += 70_000;
  await world.until(() => world.commandsOf(runId).length > before, 'the command sent again');
  await world.claim(runId, 'a');
  await sleep(50);
  const claimed = world.commandsOf(runId).length;
  now += 300_000;
  await sleep(1_300);
  expect(world.commandsOf(runId)).toHaveLength(claimed);
});

it('retries a failed run at its time, not before, within milliseconds', async () => {
  await world.start();
  const runId = await world.request([{ id: 'a', retry: { maximumAttempts: 1 } }], { delayMs: 1_200, maximum: 1 });
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a');
  await world.complete(runId, 'a', 1, { transition: 'fail', to: 'failed', error: { code: 'NO', message: 'no' } });
  await world.until(async () => (await world.run(runId)).status === 'failed', 'the run failed');
  const { retryAt = 0 } = await world.run(runId);
  await world.until(async () => (await world.run(runId)).attempt === 2, 'the retry');
  const retried = (await world.events(runId)).find(({ type }) => type === 'RunRetried');
  expect(retried?.recordedAt).toBeGreaterThanOrEqual(retryAt);
  expect(Number(retried?.recordedAt) - retryAt).toBeLessThan(250);
});
