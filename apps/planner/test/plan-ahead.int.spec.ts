import { setTimeout as sleep } from 'node:timers/promises';
import { newEvent, RUN_STREAM, stringifyJson, type DecideHint, type PlacedEvent, type NewEvent, type RunId, type StepCommand, type TaskPath, type TaskTransitioned } from '@foldwork/events';
import { runIdAt } from '@foldwork/testing';
import { PlannerWorld } from './planner-world';

let world: PlannerWorld;
let now: number;
beforeEach(async () => {
  world = await PlannerWorld.open();
  now = Date.now();
  await world.start({}, { now: () => now });
});
afterEach(() => world.close());

interface Begun {
  readonly runId: RunId;
  readonly command: StepCommand;
}

/** The second run of a definition, which the planner has in memory by then, and the command that begins it. */
const second = async (tasks: readonly object[], more: object = {}): Promise<Begun> => {
  const definition = await world.define(tasks, more);
  await firstCommand(await world.request(definition));
  const runId = await world.request(definition);
  return { runId, command: await firstCommand(runId) };
};

/** One whose plan goes with its command; a planner that happens to read the log before it hears the hint keeps the plan. */
const begin = async (tasks: readonly object[] = [{ id: 'a' }]): Promise<Begun> => {
  for (let tries = 0; tries < 20; tries += 1) {
    const begun = await second(tasks);
    if (begun.command.plan !== undefined) return begun;
  }
  throw new Error('no plan ever goes with its command');
};

const firstCommand = async (runId: RunId): Promise<StepCommand> => {
  await world.until(() => world.commandsOf(runId).length > 0, 'a command');
  const [command] = world.commandsOf(runId);
  if (command === undefined) throw new Error('no command');
  return command;
};

const forgotten = (runId: RunId): Promise<void> =>
  world.until(async () => !(await world.agendaRows()).some(({ run_id }) => run_id === runId), `no appointment of ${runId}`);

const typesOf = async (runId: RunId): Promise<string[]> => (await world.events(runId)).map(({ type }) => type);

it('leaves the plan of a run to the claim of its first task', async () => {
  const { runId, command } = await begin([{ id: 'a' }, { id: 'b' }]);
  expect(command).toMatchObject({ runVersion: 2, plan: [{ runId, type: 'RunPlanned', version: 2 }] });
  expect(await typesOf(runId)).toEqual(['RunRequested']);
  expect(await world.claim(runId, 'a')).toBe('ok');
  await sleep(100); // until the planner has read it
  await world.complete(runId, 'a', 1, { starts: { task: 'b' as TaskPath, attempt: 1 } });
  await world.complete(runId, 'b', 0);
  await world.reached(runId, 'succeeded');
  expect(await typesOf(runId)).toEqual(['RunRequested', 'RunPlanned', 'TaskTransitioned', 'TaskTransitioned', 'TaskTransitioned', 'RunCompleted']);
  expect(world.commandsOf(runId)).toHaveLength(1);
});

it('plans the run itself when nobody claims in time; the claim that comes too late changes nothing', async () => {
  const { runId, command } = await begin();
  now += 1_100;
  await world.until(async () => (await world.run(runId)).planned, 'the plan');
  await world.until(() => world.commandsOf(runId).length === 2, 'a command without it');
  expect(world.commandsOf(runId)[1]?.plan).toBeUndefined();
  expect((await world.log.append([...(command.plan ?? []), claimOf(runId)])).status).toBe('conflict');
  await world.work(runId);
});

const claimOf = (runId: RunId): NewEvent => {
  const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: 1, at: now, executor: 'worker#1' };
  return newEvent({ runId, namespace: 'default', metadata: { actor: 'late' } }, 'a' as TaskPath, 1, { type: 'TaskTransitioned', data }, false);
};

it('follows the plan that is in the log, when another planner was faster', async () => {
  const { runId, command } = await begin([{ id: 'a' }, { id: 'total', type: 'aggregate', outputs: { x: 1 } }]);
  const [plan] = command.plan ?? [];
  if (plan === undefined) throw new Error('no plan');
  const other = { ...plan, data: plan.data.replace(/"at":\d+/, `"at":${now - 5}`), metadata: '{"actor":"planner:other"}' };
  expect((await world.log.append([other])).status).toBe('ok');
  expect(await world.claim(runId, 'a')).toBe('conflict');
  now += 1_100;
  await world.until(() => world.commandsOf(runId).length === 2, 'a command without it');
  await world.work(runId);
  expect((await typesOf(runId)).filter((type) => type === 'RunPlanned')).toHaveLength(1);
});

it('throws the plan away when somebody cancels the run before it is begun', async () => {
  const { runId } = await begin();
  await world.command(runId, { kind: 'cancel' });
  expect(await world.claim(runId, 'a')).toBe('conflict');
  await world.reached(runId, 'canceled');
  expect(await typesOf(runId)).toEqual(['RunRequested', 'RunCancelRequested', 'RunCanceled']);
});

it('goes on to leave plans to claims after somebody cancelled, and stops for a while after nobody claimed in time', async () => {
  const { runId } = await begin();
  await world.command(runId, { kind: 'cancel' });
  await world.reached(runId, 'canceled');
  const { runId: late } = await begin();
  now += 1_100;
  await world.until(async () => (await world.run(late)).planned, 'the plan');
  await expect(begin()).rejects.toThrow('no plan ever goes with its command');
  now += 10_000;
  await begin();
});

it('begins nothing of a run that was paused before it began, until it is resumed', async () => {
  const { runId } = await begin();
  await world.command(runId, { kind: 'pause' });
  expect(await world.claim(runId, 'a')).toBe('conflict');
  now += 1_100;
  await sleep(200);
  const before = world.commandsOf(runId).length;
  await world.command(runId, { kind: 'resume' });
  await world.until(() => world.commandsOf(runId).length > before, 'a command');
  await world.work(runId);
});

it('gives the command out again, with a plan that is in the log, when a new executor may have lost it', async () => {
  const { runId } = await begin();
  world.bus.disconnect();
  world.bus.reconnect();
  await world.until(() => world.commandsOf(runId).length === 2, 'the command again');
  expect(world.commandsOf(runId)[1]?.plan).toBeUndefined();
  expect((await world.run(runId)).planned).toBe(true);
});

it.each([
  ['begins with several tasks at once', [{ id: 'both', type: 'parallel', tasks: [{ id: 'a', type: 'basic', action: 'work' }, { id: 'b', type: 'basic', action: 'work' }] }], {}],
  ['has a time limit', [{ id: 'a' }], { timeout: '1h' }],
])('plans a run that %s before it is begun', async (_what, tasks, more) => {
  const { runId, command } = await second(tasks, more);
  expect(command.plan).toBeUndefined();
  expect((await world.run(runId)).planned).toBe(true);
});

it('goes on from the log when a hint is none, comes late, or names a run that this log does not have', async () => {
  const { runId } = await begin();
  await world.work(runId);
  await forgotten(runId);
  const requested = (await world.log.readRuns([runId]))[0] as PlacedEvent;
  const ahead = { ...requested, position: (await world.log.head()) + 1_000 };
  const foreign: PlacedEvent = { ...ahead, runId: runIdAt(now) };
  const hint = (events: readonly PlacedEvent[]): string => stringifyJson({ events } satisfies DecideHint);
  const garbled = { ...ahead, runId: runIdAt(now), data: '{' };
  for (const payload of ['', '7', 'null', '{"events":[null]}', '{"events":[{"position":9e9}]}', hint([garbled])]) world.bus.hint('decide', payload);
  for (const events of [[], [requested], [foreign]]) world.bus.hint('decide', hint(events));
  await world.until(() => world.commandsOf(foreign.runId).length === 1, 'the foreign one is believed');
  expect(world.commandsOf(runId)).toHaveLength(1); // what was read already is not
  world.bus.hint('decide', hint([ahead]));
  await world.until(() => world.commandsOf(runId).length === 2, 'the one with a wrong position is believed');
  expect(await world.claim(runId, 'a')).toBe('conflict');
  expect(await world.claim(foreign.runId, 'a')).toBe('conflict');
  now += 1_100;
  const { runId: next } = await begin();
  await world.work(next);
  for (const ended of [runId, next, foreign.runId]) await forgotten(ended);
  expect((await typesOf(runId)).filter((type) => type === 'RunPlanned')).toHaveLength(1);
  expect(await world.log.readRuns([foreign.runId])).toEqual([]);
  expect(await world.log.readLast(runId, RUN_STREAM)).toMatchObject({ type: 'RunCompleted' });
});
