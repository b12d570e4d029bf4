import { Client } from 'pg';
import { defineAction, type Action } from '@foldwork/actions';
import { LogUnavailable, stringifyJson, type EventLog, type Json, type RunId, type StepCommand, type TaskPath } from '@foldwork/events';
import { foldRun } from '@foldwork/domain';
import { actionList, ExecutorWorld, Gate } from './executor-world';

const action = (name: string, run: Action<Json>['run']): Action<Json> => defineAction({ name, effect: 'idempotent', run });

let world: ExecutorWorld;
beforeEach(async () => {
  world = await ExecutorWorld.open();
});
afterEach(() => world.close());

it('runs a task once when its command is doubled, in one executor and in two', async () => {
  let calls = 0;
  const counting = actionList(action('count', () => (calls += 1)));
  await world.start(counting);
  await world.start(counting, { name: 'other' });
  const runId = await world.request([{ id: 'a', action: 'count' }, { id: 'b', action: 'count' }]);
  const [command] = await world.decide(runId, { send: false });
  for (let copy = 0; copy < 8; copy += 1) await world.bus.publishStep('default', runId, stringifyJson(command));
  await world.until(async () => (await world.task(runId, 'b')).status === 'completed', 'both tasks done');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls).toBe(2);
});

it('appends the plan that comes with a command together with its claim, or begins nothing', async () => {
  let calls = 0;
  await world.start(actionList(action('count', () => (calls += 1))));
  const commandOf = async (runId: RunId): Promise<StepCommand> => {
    const { events: plan, commands: [command] } = await world.decideOnly(runId);
    if (command === undefined) throw new Error('no command');
    return { ...command, plan };
  };
  const [good, canceled, faulty] = [
    await world.request([{ id: 'a', action: 'count' }]), await world.request([{ id: 'a', action: 'count' }]), await world.request([{ id: 'a', action: 'count', with: { n: '${ input.none }' } }]),
  ];
  const commands = await Promise.all([good, canceled, faulty].map(commandOf));
  await world.operate(canceled, 'cancel');
  for (const command of [...commands, ...commands]) await world.bus.publishStep('default', command.runId, stringifyJson(command));
  await world.until(async () => (await world.run(good)).status === 'succeeded', 'the run to end');
  await world.until(async () => (await world.run(faulty)).tasks.get('a' as TaskPath)?.status === 'failed', 'the faulty one to be refused');
  const words = async (runId: RunId): Promise<string[]> => (await world.events(runId)).map((event) => (event.type === 'TaskTransitioned' ? event.data.transition : event.type));
  expect(await words(good)).toEqual(['RunRequested', 'RunPlanned', 'begin', 'complete', 'RunCompleted']);
  expect(await words(faulty)).toEqual(['RunRequested', 'RunPlanned', 'begin', 'fail']);
  expect(await words(canceled)).toEqual(['RunRequested', 'RunCancelRequested']);
  expect(calls).toBe(1);
});

it('[S3-46] records one of two concurrent results for a task; the other is refused and changes nothing', async () => {
  const [slow, quick] = [new Gate(), new Gate()];
  const gates = [slow, quick];
  const work = actionList(action('work', async () => {
    const gate = gates.shift();
    await gate?.pass();
    return gate === slow ? 'slow' : 'quick';
  }));
  await world.start(work, { name: 'first' });
  const runId = await world.request([{ id: 'a', action: 'work' }]);
  await world.decide(runId);
  await slow.arrival;
  await world.start(work, { name: 'second' });
  world.lost.add('first#1'); // the planner believes so; the first one does not know
  await world.decide(runId);
  await world.decide(runId, { now: Date.now() + 60_000 });
  await quick.arrival;
  quick.open();
  slow.open();
  await world.until(() => world.linesOf('attempt_fenced').length === 1, 'one result refused');
  await world.finish(runId);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'completed', output: 'quick', attempt: 2 });
  const completions = (await world.events(runId, 'a')).filter((event) => event.type === 'TaskTransitioned' && event.data.transition === 'complete');
  expect(completions).toHaveLength(1);
});

it('stops an attempt that the log has taken away when it is told', async () => {
  const ended = Promise.withResolvers<unknown>();
  await world.start(actionList(action('endless', (_input, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { ended.resolve(signal.reason); reject(new Error('aborted')); });
  }))));
  const runId = await world.request([{ id: 'a', action: 'endless' }]);
  await world.decide(runId);
  await world.until(async () => (await world.run(runId)).executing.size === 1, 'the task runs');
  world.bus.hint('cancel', stringifyJson({ runId, tasks: ['other'] }));
  world.bus.hint('cancel', 'not a hint');
  world.bus.hint('cancel', stringifyJson({ runId, tasks: ['a'] }));
  expect(await ended.promise).toMatchObject({ code: 'CANCELED' });
});

it('finishes the task in hand and begins no other while its run is paused, in its row or from the bus', async () => {
  const gate = new Gate();
  const ran: string[] = [];
  await world.start(actionList(action('work', async (_input, { task }) => { ran.push(task); await gate.pass(); })));
  const branches = { id: 'both', type: 'parallel', maxWorkers: 1, tasks: [{ id: 'c', type: 'basic', action: 'work' }] };
  const runId = await world.request([{ id: 'a', action: 'work' }, { id: 'b', action: 'work' }]);
  const other = await world.request([branches]);
  await world.decide(runId);
  const onTheWay = await world.decide(other, { send: false });
  await gate.arrival;
  for (const each of [runId, other]) world.bus.hint('cancel', stringifyJson({ runId: each, tasks: [], pausedAt: await world.operate(each, 'pause') }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const command of onTheWay) await world.bus.publishStep(command.pool, command.runId, stringifyJson(command));
  gate.open();
  await world.until(async () => (await world.task(runId, 'a')).status === 'completed', 'a done');
  expect([ran, (await world.task(other, 'both/c')).status]).toEqual([['a'], 'pending']);
  for (const each of [runId, other]) {
    await world.operate(each, 'resume');
    expect((await world.finish(each)).status).toBe('succeeded');
  }
});

it('aborts its attempts before the others may take them, when the store is away for longer than the lease', async () => {
  const gate = Promise.withResolvers<number>();
  const leaseMs = 1_500;
  const failing = { query: () => Promise.reject(new Error('store away')) };
  const pool = new Proxy(world.pool, { get: (target, key) => (isAway && key === 'query' ? failing.query : Reflect.get(target, key)) });
  let isAway = false;
  const executor = await world.start(actionList(action('endless', (_input, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { gate.resolve(performance.now()); reject(signal.reason); });
  }))), { leaseMs }, { pool });
  const runId = await world.request([{ id: 'a', action: 'endless', retry: { maximumAttempts: 1 } }]);
  await world.decide(runId);
  await world.until(async () => (await world.run(runId)).executing.size === 1, 'the task runs');
  isAway = true;
  const expiry = await leaseEnd();
  const abortedAt = Date.now() - performance.now() + (await gate.promise);
  expect(abortedAt).toBeLessThan(expiry);
  await world.until(async () => (await world.task(runId, 'a')).status === 'failed', 'the attempt given up');
  expect((await world.task(runId, 'a')).error).toMatchObject({ code: 'LEASE_LOST' });
  const answers: string[] = [];
  await executor.handle({ payload: '{}', deliveries: 1, ack: () => void answers.push('ack'), retryLater: () => void answers.push('later') });
  expect(answers).toEqual(['later']); // without a lease it claims nothing
  isAway = false;

  /** The lease's end by the database's clock, which is this machine's. */
  async function leaseEnd(): Promise<number> {
    const { rows } = await world.pool.query<{ at: string }>("SELECT extract(epoch FROM expires_at) * 1000 AS at FROM members WHERE name = 'worker'");
    return Number(rows[0]?.at);
  }
});

it('begins nothing after an action that kept it from renewing its lease, though it has not noticed yet', async () => {
  const leaseMs = 400;
  const ran: string[] = [];
  const block = (): null => {
    ran.push('a');
    for (const end = performance.now() + leaseMs; performance.now() < end; ) Math.random();
    return null;
  };
  await world.start(actionList(action('block', block), action('next', () => ran.push('b'))), { leaseMs });
  const runId = await world.request([{ id: 'a', action: 'block' }, { id: 'b', action: 'next' }]);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'a')).status === 'completed', 'a done');
  expect((await world.log.readRuns([runId])).filter(({ data }) => data.includes('"starts"'))).toEqual([]);
  expect(ran).toEqual(['a']);
});

it('takes up no lease again that it gave up: nobody would work on a claim of which it never heard', async () => {
  const leaseMs = 2_000;
  let joinedAt = Infinity;
  const hasPassed = (share: number): boolean => performance.now() > joinedAt + share * leaseMs;
  const passing = (share: number): Promise<void> => world.until(() => hasPassed(share), `${share} of the lease`);
  const pool = new Proxy(world.pool, {
    get: (target, key) => {
      if (key !== 'query') return Reflect.get(target, key) as unknown;
      return async (query: { readonly name?: string; readonly text: string }) => {
        if (query.name === 'member_renew' && hasPassed(0) && !hasPassed(0.95)) {
          if (!hasPassed(0.6)) throw new Error('store away');
          await passing(0.95); // given up, but not yet over for the others
        }
        return target.query(query);
      };
    },
  });
  const append: EventLog['append'] = async (events) => {
    await world.log.append(events);
    await passing(0.92);
    throw new LogUnavailable('disconnected', 'the answer was lost');
  };
  const log = new Proxy(world.log, { get: (target, key) => (key === 'append' ? append : Reflect.get(target, key)) as unknown });
  const executor = await world.start(actionList(action('work', () => null)), { leaseMs }, { pool, log, consumes: false });
  joinedAt = performance.now();
  const runId = await world.request([{ id: 'a', action: 'work' }]);
  const [command] = await world.decide(runId, { send: false });
  const answers: string[] = [];
  await executor.handle({ payload: stringifyJson(command), deliveries: 1, ack: () => void answers.push('ack'), retryLater: () => void answers.push('later') });
  expect(answers).toEqual(['later']);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'in_progress', executor: 'worker#1' });
  const isOver = async (): Promise<boolean> => (await world.pool.query("SELECT FROM members WHERE name = 'worker' AND incarnation > 1")).rowCount === 1;
  await world.until(isOver, 'an incarnation that does not hold the claim');
});

it('goes on under another name when a second process takes its name, and what it held is given up', async () => {
  const aborted = Promise.withResolvers<void>();
  let isFirst = true;
  const work = actionList(action('work', (_input, { signal }) => {
    if (!isFirst) return 'done';
    isFirst = false;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => { aborted.resolve(); reject(signal.reason); }));
  }));
  await world.start(work, { leaseMs: 1_200 });
  const runId = await world.request([{ id: 'a', action: 'work' }]);
  await world.decide(runId);
  await world.until(async () => (await world.run(runId)).executing.size === 1, 'the task runs');
  await world.start(work, { leaseMs: 1_200 });
  await aborted.promise;
  await world.until(() => world.linesOf('executor_name_taken').length > 0, 'the first one steps aside');
  expect(world.linesOf('executor_name_taken')).toEqual([expect.objectContaining({ name: 'worker', goesOnAs: 'worker.1' })]);
  expect((await world.finish(runId)).status).toBe('succeeded');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(world.linesOf('executor_name_taken')).toHaveLength(1); // they do not take it from each other for ever
});

it('gives back commands that find no room, and takes none while it stops', async () => {
  const gate = new Gate();
  const executor = await world.start(actionList(action('work', () => gate.pass())), { concurrency: 1, stopMs: 100 }, { consumes: false });
  const [busy, waiting] = [await world.request([{ id: 'a', action: 'work' }]), await world.request([{ id: 'a', action: 'work' }])];
  const answers: string[] = [];
  const handle = async (runId: typeof busy): Promise<void> => {
    const [command] = await world.decide(runId, { send: false });
    await executor.handle({ payload: stringifyJson(command), deliveries: 1, ack: () => void answers.push('ack'), retryLater: () => void answers.push('later') });
  };
  const first = handle(busy);
  await gate.arrival;
  const second = handle(waiting);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = executor.stop();
  await second;
  await handle(waiting);
  expect(answers).toEqual(['ack', 'later', 'later']);
  await Promise.all([first, stopped]); // the attempt that does not end is given up
  expect(await world.task(busy, 'a')).toMatchObject({ status: 'failed', error: { code: 'LEASE_LOST' } });
  expect((await world.run(waiting)).tasks.get('a' as never)?.status).toBe('pending');
});

it('[S1-11] needs one statement per task and one to load a run, however long it is', async () => {
  const statements = { count: 0 };
  const query = Client.prototype.query as (...parameters: unknown[]) => unknown;
  await world.start(actionList(action('step', () => 1)), { leaseMs: 600_000 });
  const used = async (tasks: number): Promise<number> => {
    const runId = await world.request(Array.from({ length: tasks }, (_, index) => ({ id: `s${index}`, action: 'step' })));
    const [command] = await world.decide(runId, { send: false });
    statements.count = 0;
    const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...parameters: unknown[]) {
      statements.count += 1;
      return query.apply(this, parameters) as never;
    });
    const completed = new Promise<void>((resolve) => {
      const stop = world.log.onCommit(({ decide }) => { if (decide) { stop(); resolve(); } });
    });
    await world.bus.publishStep('default', runId, stringifyJson(command));
    await completed;
    const executing = statements.count;
    statements.count = 0;
    expect(foldRun(await world.log.readRuns([runId]))?.tasks.size).toBe(tasks);
    expect(statements.count).toBe(1);
    spy.mockRestore();
    return executing;
  };
  const [five, fifty] = [await used(5), await used(50)];
  expect(five).toBeLessThanOrEqual(5 + 2);
  expect(fifty).toBeLessThanOrEqual(50 + 2);
});
