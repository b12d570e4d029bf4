import { setTimeout as sleep } from 'node:timers/promises';
import { newEvent, RUN_STREAM, type RunId, type TaskPath, type TaskTransitioned } from '@foldwork/events';
import { shardOf } from '../src/shard-share';
import { beforeQuery, mortal, slowly } from './mortal';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
beforeEach(async () => {
  world = await PlannerWorld.open();
});
afterEach(() => world.close());

const attemptsOf = (runId: RunId): (number | undefined)[] => world.commandsOf(runId).map(({ segments }) => segments[0]?.[0]?.attempt);
const plannedOnce = async (runId: RunId): Promise<boolean> => (await world.events(runId)).filter(({ type }) => type === 'RunPlanned').length === 1;

it('is back at work at once after a kill: commands that were lost with it, runs it never saw', async () => {
  const life = mortal(world.log, world.pool);
  await world.start({}, life);
  const sent = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(sent).length === 1, 'a command');
  await sleep(200);
  life.kill();
  world.commands.length = 0; // nobody ever claimed it
  const unseen = await world.request([{ id: 'a' }]);
  const startedAt = Date.now();
  await world.start();
  await world.until(() => world.commandsOf(sent).length === 1 && world.commandsOf(unseen).length === 1, 'both commands');
  expect(Date.now() - startedAt).toBeLessThan(2_000);
  await Promise.all([world.work(sent), world.work(unseen)]);
});

it('finds a run whose planner was killed before it wrote anything into the agenda', async () => {
  const life = mortal(world.log, world.pool);
  await world.start({}, life);
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  life.kill(); // within the time between two writes
  world.commands.length = 0;
  await world.start();
  await world.until(() => world.commandsOf(runId).length === 1, 'the command again', 2_000);
});

it('gives the attempts of a lost executor to others, also where its claim shows up after its loss was noticed', async () => {
  await world.start();
  await world.executors.join('victim', 600_000);
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a', { executor: 'victim#1' });
  await sleep(50);
  expect((await world.run(runId)).executing.size).toBe(1);
  await world.executors.leave('victim', 1);
  world.bus.hint('executors', 'victim#1');
  await world.until(() => attemptsOf(runId).includes(2), 'a command for the second attempt');

  const late = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(late).length === 1, 'a command');
  await sleep(600); // the loss is old news by now
  await world.claim(late, 'a', { executor: 'victim#1' });
  await world.until(() => attemptsOf(late).includes(2), 'the late claim given up too', 2_000);
});

it('gives up what a lost executor claimed with the outcome of the task before, also where that shows up only after the loss', async () => {
  await world.start();
  await world.executors.join('victim', 600_000);
  const runId = await world.request([{ id: 'a' }, { id: 'b' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a', { executor: 'victim#1' });
  await world.executors.join('victim', 600_000); // back under its name
  await world.until(() => attemptsOf(runId).includes(2), 'the loss noticed');
  const next = await world.request([{ id: 'a' }, { id: 'b' }]);
  await world.until(() => world.commandsOf(next).length === 1, 'a command');
  await world.claim(next, 'a');
  await sleep(600); // the loss is old news by now
  const data: TaskTransitioned = { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: Date.now(), executor: 'victim#1', output: null, starts: { task: 'b' as TaskPath, attempt: 1 } };
  await world.log.append([newEvent({ runId: next, namespace: 'default', metadata: { actor: 'test' } }, 'a' as TaskPath, 2, { type: 'TaskTransitioned', data }, false)]);
  await world.until(() => world.commandsOf(next).some(({ segments }) => segments[0]?.[0]?.path === 'b' && segments[0][0].attempt === 2), 'the next task given up too', 2_000);
});

it('folds no run that nobody has to look at, however often it looks after executors', async () => {
  await world.start();
  await world.executors.join('gone', 600_000);
  await world.executors.leave('gone', 1);
  await sleep(600); // its loss is handled
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a');
  await world.log.append([{ runId, task: RUN_STREAM, version: 3, type: 'RunPlanned', schemaVersion: 1, data: '{}', metadata: '{}', namespace: 'default', decide: false }]);
  await sleep(1_200);
  expect(world.linesOf('run_set_aside')).toEqual([]); // it can only be noticed by folding it
});

it('looks at what a dead executor held in runs that are not in memory', async () => {
  await world.start({ cacheRuns: 1 });
  await world.executors.join('victim', 600_000);
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.claim(runId, 'a', { executor: 'victim#1' });
  await sleep(300); // its row is written
  await world.request([{ id: 'a' }]); // takes its place in memory
  await sleep(100);
  await world.executors.leave('victim', 1);
  await world.until(() => attemptsOf(runId).includes(2), 'a command for the second attempt');
});

it('shares the work between two planners, and one takes all when the other is killed', async () => {
  const life = mortal(world.log, world.pool);
  const settings = { leaseMs: 900 };
  await world.start({ ...settings, name: 'first' }, life);
  await world.start({ ...settings, name: 'second' });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'the first one gives half away');
  const definition = await world.define([{ id: 'a' }, { id: 'b' }]);
  const before = await Promise.all(Array.from({ length: 30 }, () => world.request(definition)));
  await world.until(() => before.every((runId) => world.commandsOf(runId).length > 0), 'commands');
  life.kill();
  const after = await Promise.all(Array.from({ length: 30 }, () => world.request(definition)));
  await world.until(() => after.every((runId) => world.commandsOf(runId).length > 0), 'commands after the kill');
  await Promise.all([...before, ...after].map((runId) => world.work(runId)));
  expect((await Promise.all([...before, ...after].map(plannedOnce))).every(Boolean)).toBe(true);
});

it('knows what happened to runs between a takeover that failed half-way and the next one', async () => {
  let failures = 0;
  let isAway = false;
  const pool = beforeQuery(world.pool, 'agenda_in_flight', async () => {
    if (!isAway) return;
    failures += 1;
    throw new Error('connection lost');
  });
  const guest = await world.start({ name: 'guest', leaseMs: 600 });
  await world.start({ name: 'heir', leaseMs: 600 }, { pool });
  await world.until(() => world.linesOf('planner_shards').some(({ shards }) => shards === 8), 'both share the work');
  isAway = true; // from here on the heir comes as far as looking at runs whose events nobody has read
  await guest.stop();
  const definition = await world.define([{ id: 'a' }, { id: 'b' }]);
  const runs = await Promise.all(Array.from({ length: 20 }, () => world.request(definition)));
  await world.until(() => failures > 0 && runs.every((runId) => world.commandsOf(runId).length > 0), 'commands');
  for (const runId of runs) {
    await world.claim(runId, 'a');
    await world.complete(runId, 'a');
  }
  await sleep(200);
  isAway = false;
  const hasB = (runId: RunId): boolean => world.commandsOf(runId).some(({ segments }) => segments[0]?.[0]?.path === 'b');
  await world.until(() => runs.every(hasB), 'a command for what comes next');
});

it('writes nothing of what it knew before it was stopped for longer than its lease', async () => {
  const life = mortal(world.log, world.pool);
  await world.start({ name: 'stopped', leaseMs: 900 }, life);
  const definition = await world.define([{ id: 'a' }, { id: 'gate', type: 'wait', waitFor: 'go', timeout: 3_600_000 }]);
  const runs = await Promise.all(Array.from({ length: 30 }, () => world.request(definition)));
  await world.until(() => runs.every((runId) => world.commandsOf(runId).length > 0), 'commands');
  life.stop(); // with rows to write
  await sleep(1_000);
  await world.start({ name: 'heir', leaseMs: 900 });
  for (const runId of runs) {
    await world.claim(runId, 'a');
    await world.complete(runId, 'a');
  }
  const isWaiting = async (runId: RunId): Promise<boolean> => (await world.run(runId)).waiting.size === 1;
  await world.until(async () => (await Promise.all(runs.map(isWaiting))).every(Boolean), 'runs that wait');
  await sleep(200); // what they wait for is in the agenda
  life.goOn();
  await world.until(() => world.linesOf('planner_shards').filter(({ shards }) => shards === 8).length === 2, 'both share the work');
  await world.reached(await world.request([{ id: 'tell', type: 'signal', signal: { id: 'go' } }]), 'succeeded');
  await Promise.all(runs.map((runId) => world.reached(runId, 'succeeded', 2_000)));
});

it('removes the row of an ended run that its planner before wrote too late', async () => {
  await world.start();
  const runId = await world.request([{ id: 'a' }]);
  await world.until(() => world.commandsOf(runId).length === 1, 'a command');
  await world.work(runId);
  const isRowless = async (): Promise<boolean> => (await world.agendaRows()).length === 0;
  await world.until(isRowless, 'an empty agenda');
  await world.pool.query('INSERT INTO agenda (run_id, shard, wake_at, in_flight) VALUES ($1, $2, 1, true)', [runId, shardOf(runId)]);
  await world.until(isRowless, 'an empty agenda again');
});

it('misses no run while planners come and go', async () => {
  const slow = slowly(world.pool, 'agenda_positions', 250); // longer than the time between two writes of the agenda
  await world.start({ name: 'stays', leaseMs: 600 }, { pool: slow });
  const definition = await world.define([{ id: 'a' }]);
  const runs: RunId[] = [];
  let isOver = false;
  const requesting = (async () => {
    while (!isOver) {
      runs.push(await world.request(definition));
      await sleep(3);
    }
  })();
  for (let round = 0; round < 3; round += 1) {
    const guest = await world.start({ name: `guest-${round}`, leaseMs: 600 });
    await sleep(700);
    await guest.stop();
    await sleep(500);
  }
  isOver = true;
  await requesting;
  expect(runs.length).toBeGreaterThan(200);
  await world.until(() => runs.every((runId) => world.commandsOf(runId).length > 0), 'a command for each run');
});

it('wakes 200 sleeping runs when they are due: never early, and all together', async () => {
  await world.start();
  const definition = await world.define([{ id: 'a', sleep: 2_500 }, { id: 'b' }]);
  const runs = await Promise.all(Array.from({ length: 200 }, () => world.request(definition)));
  await world.until(() => runs.every((runId) => world.commandsOf(runId).length > 0), 'commands');
  const endedAt = Date.now();
  const due = endedAt + 2_500;
  await Promise.all(runs.map(async (runId) => {
    await world.claim(runId, 'a');
    await world.complete(runId, 'a', 1, { at: endedAt });
  }));
  const late: number[] = [];
  const seen = new Set<RunId>();
  await world.until(() => {
    for (const { runId, segments } of world.commands) {
      if (seen.has(runId) || segments[0]?.[0]?.path !== 'b') continue;
      seen.add(runId);
      late.push(Date.now() - due);
    }
    return seen.size === runs.length;
  }, 'all awake');
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  expect(late.toSorted((a, b) => a - b)[100]).toBeLessThan(500);
});
