import { defineAction, type Action } from '@foldwork/actions';
import { formatRunId, type Json } from '@foldwork/events';
import { actionList, ExecutorWorld, Gate } from './executor-world';

const action = (name: string, run: Action<Json>['run'], more: Partial<Action<Json>> = {}): Action<Json> => defineAction({ name, effect: 'idempotent', run, ...more });
const ONCE_ONLY = { retry: { maximumAttempts: 1 } };

let world: ExecutorWorld;
beforeEach(async () => {
  world = await ExecutorWorld.open();
});
afterEach(() => world.close());

it('[S0-03] shows a task as running, with its start, to other readers while the handler runs', async () => {
  const gate = new Gate();
  await world.start(actionList(action('upload', () => gate.pass())));
  const runId = await world.request([{ id: 'upload', action: 'upload' }]);
  await world.decide(runId);
  await gate.arrival;
  const other = world.otherReader();
  const seen = await world.task(runId, 'upload', other);
  await other.close();
  gate.open();
  expect(seen).toMatchObject({ status: 'in_progress', attempt: 1, executor: 'worker#1', startedAt: expect.any(Number) });
  expect((await world.finish(runId)).status).toBe('succeeded');
});

it('[S0-04] ends a task with exactly one event, and a step of a segment costs one event', async () => {
  await world.start(actionList(action('step', () => 'done')));
  const runId = await world.request([1, 2, 3, 4].map((number) => ({ id: `s${number}`, action: 'step' })));
  const run = await world.finish(runId);
  expect([...run.tasks.values()].map(({ status }) => status)).toEqual(['completed', 'completed', 'completed', 'completed']);
  for (const path of ['s2', 's3', 's4']) {
    expect(await world.events(runId, path)).toMatchObject([{ type: 'TaskTransitioned', data: { transition: 'complete' } }]);
  }
  expect((await world.events(runId, 's1')).map(({ data }) => ('transition' in data ? data.transition : ''))).toEqual(['begin', 'complete']);
});

it('[S0-05] keeps side effects durable from the moment they are recorded, and hands the result on', async () => {
  const gate = new Gate();
  await world.start(actionList(action('upload', async (_input, context) => {
    await context.recordSideEffect({ image_id: 'vinted_123' });
    await gate.pass();
    return context.sideEffects;
  })));
  const runId = await world.request([{ id: 'upload', action: 'upload' }]);
  await world.decide(runId);
  await gate.arrival;
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'in_progress', sideEffects: { image_id: 'vinted_123' } });
  gate.open();
  await world.finish(runId);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', sideEffects: { image_id: 'vinted_123' }, output: { image_id: 'vinted_123' } });
});

it('[S0-06] records what a handler threw; nothing is thrown to whoever called', async () => {
  const executor = await world.start(actionList(action('upload', () => Promise.reject(new Error('Network error')))), {}, { consumes: false });
  const runId = await world.request([{ id: 'upload', action: 'upload', ...ONCE_ONLY }]);
  const [command] = await world.decide(runId, { send: false });
  const delivery = { payload: JSON.stringify(command), deliveries: 1, ack: () => undefined, retryLater: () => undefined };
  await expect(executor.handle(delivery)).resolves.toBeUndefined();
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'failed', error: { code: 'ACTION_FAILED', message: 'Network error' }, endedAt: expect.any(Number) });
});

it('[S0-13] writes one structured line at the start, the completion and the failure of a step', async () => {
  await world.start(actionList(action('good', () => 1), action('bad', () => Promise.reject(new Error('no')))));
  const runId = await world.request([{ id: 'first', action: 'good' }, { id: 'second', action: 'bad', ...ONCE_ONLY }]);
  await world.finish(runId);
  const common = (task: string) => ({ runId: formatRunId(runId), task, step: task, attempt: 1 });
  expect(world.linesOf('task_started')).toEqual([expect.objectContaining(common('first')), expect.objectContaining(common('second'))]);
  expect(world.linesOf('task_completed')).toEqual([expect.objectContaining({ ...common('first'), duration: expect.stringMatching(/^\d+\.\d\d$/) })]);
  expect(world.linesOf('task_failed')).toEqual([
    expect.objectContaining({ ...common('second'), level: 'warn', duration: expect.stringMatching(/^\d+\.\d\d$/), error: { code: 'ACTION_FAILED', message: 'no' } }),
  ]);
});

it('[S1-03] keeps the result, and the times of start and end in order', async () => {
  await world.start(actionList(action('upload', () => ({ uploaded_id: 'vinted_123', success: true }))));
  const runId = await world.request([{ id: 'upload', action: 'upload' }]);
  await world.finish(runId);
  const { output, startedAt = Infinity, endedAt = 0 } = await world.task(runId, 'upload');
  expect(output).toEqual({ uploaded_id: 'vinted_123', success: true });
  expect(startedAt).toBeLessThanOrEqual(endedAt);
});

it('[S1-10] leaves a task whose action nobody here has pending, warns by name, and the run does not end', async () => {
  await world.start([]);
  const runId = await world.request([{ id: 'upload', action: 'shop.upload' }]);
  await world.decide(runId);
  await world.until(() => world.linesOf('action_missing').length > 0, 'a warning');
  expect(world.linesOf('action_missing')[0]).toMatchObject({ level: 'warn', runId: formatRunId(runId), task: 'upload', action: 'shop.upload' });
  expect(await world.run(runId)).toMatchObject({ status: 'running' });
  expect(await world.events(runId, 'upload')).toEqual([]);
});

it('gives a command without a known action back three times, then leaves it to the planner', async () => {
  const executor = await world.start([], {}, { consumes: false });
  const runId = await world.request([{ id: 'upload', action: 'shop.upload' }]);
  const [command] = await world.decide(runId, { send: false });
  const answers: string[] = [];
  for (const deliveries of [1, 2, 3]) {
    await executor.handle({ payload: JSON.stringify(command), deliveries, ack: () => void answers.push('ack'), retryLater: () => void answers.push('later') });
  }
  expect(answers).toEqual(['later', 'later', 'ack']);
});

it('sets a faulty command aside and goes on', async () => {
  const executor = await world.start(actionList(action('step', () => 1)), {}, { consumes: false });
  const answers: string[] = [];
  const delivery = (payload: string) => ({ payload, deliveries: 1, ack: () => void answers.push('ack'), retryLater: () => void answers.push('later') });
  const epoch = await world.log.epoch();
  await executor.handle(delivery('{ not json'));
  await executor.handle(delivery(JSON.stringify({ epoch, namespace: 'default', definition: 'f'.repeat(64), segments: [] })));
  await executor.handle(delivery(JSON.stringify({ epoch: 'of another log', segments: [] })));
  expect(answers).toEqual(['ack', 'ack', 'ack']);
  expect(world.linesOf('command_set_aside')).toHaveLength(2);
});

it('refuses an input that the action does not take, before the action is called', async () => {
  let calls = 0;
  const strict = { input: { type: 'object', properties: { size: { type: 'number' } }, required: ['size'] } };
  await world.start(actionList(action('resize', () => (calls += 1), strict)));
  const runId = await world.request([{ id: 'resize', action: 'resize', with: { size: 'big' } }]);
  await world.finish(runId);
  expect(await world.task(runId, 'resize')).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'INPUT_INVALID', message: expect.stringContaining('size') } });
  expect(calls).toBe(0);
});

it('[S3-52] gives each attempt the environment of its own task, in its input and in its outputs; the end of the run has that of the document', async () => {
  await world.start(actionList(action('echo', (input) => input)));
  const echo = (id: string, env?: object) => ({ id, type: 'basic', action: 'echo', ...(env && { env }), with: { seen: '${ env.A + env.B }' }, outputs: { in: '${ output.seen }', out: '${ env.A + env.B }', of: '${ task.id }' } });
  const both = { id: 'both', type: 'parallel', env: { B: 'both' }, tasks: [echo('left', { A: 'left' }), echo('right', { B: 'right' }), echo('plain')] };
  const runId = await world.request([both, echo('last', { A: 'last', B: 'last' })], {}, { env: { A: 'doc', B: 'doc' }, output: '${ env.A + env.B }' });
  const run = await world.finish(runId);
  expect(run).toMatchObject({ status: 'succeeded', output: 'docdoc' });
  const end = (await world.log.readRuns([runId])).find(({ type }) => type === 'RunCompleted');
  expect(end?.metadata).toContain('executor:'); // with its last step, not by a planner afterwards
  for (const [path, seen] of [['both/left', 'leftboth'], ['both/right', 'docright'], ['both/plain', 'docboth'], ['last', 'lastlast']] as const) {
    expect((await world.task(runId, path)).output).toEqual({ in: seen, out: seen, of: path.split('/').at(-1) });
  }
});

it('fails an attempt whose answer the log cannot hold instead of leaving it in progress', async () => {
  await world.start(actionList(action('odd', () => ({ text: 'nul \u0000 inside' })), action('circle', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    return circle;
  })));
  const odd = await world.request([{ id: 'odd', action: 'odd', ...ONCE_ONLY }]);
  const circle = await world.request([{ id: 'circle', action: 'circle', ...ONCE_ONLY }]);
  await Promise.all([world.finish(odd), world.finish(circle)]);
  expect(await world.task(odd, 'odd')).toMatchObject({ status: 'failed', error: { code: 'RESULT_REFUSED' } });
  expect(await world.task(circle, 'circle')).toMatchObject({ status: 'failed', error: { code: 'RESULT_REFUSED', message: expect.stringMatching(/^what the action returned is not JSON: .*circular[^\n]*$/) } });
});

it('outlives an action that records a side effect when nobody waits for it any more', async () => {
  const late = Promise.withResolvers<void>();
  await world.start(actionList(action('hasty', (_input, context) => {
    setTimeout(() => {
      void context.recordSideEffect({ late: true });
      setTimeout(late.resolve, 10); // an unhandled rejection would have ended the process by then
    }, 50);
    return 'done';
  })));
  const runId = await world.request([{ id: 'hasty', action: 'hasty' }]);
  await world.finish(runId);
  await late.promise;
  expect(await world.task(runId, 'hasty')).toMatchObject({ status: 'completed', output: 'done' });
  expect(world.linesOf('action_log')).toEqual([expect.objectContaining({ message: 'a side effect is not recorded', effect: { late: true } })]);
});

it('ends an attempt at its time limit, aborts it, and refuses what it says afterwards', async () => {
  const late = Promise.withResolvers<unknown>();
  await world.start(actionList(action('slow', (_input, context) =>
    new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => {
      setTimeout(() => context.recordSideEffect({ late: true }).then(late.resolve, late.resolve), 100);
      setTimeout(() => reject(new Error('too late to matter')), 50);
    })))));
  const runId = await world.request([{ id: 'slow', action: 'slow', timeout: 80, ...ONCE_ONLY }]);
  await world.finish(runId);
  expect(await world.task(runId, 'slow')).toMatchObject({ status: 'failed', error: { code: 'ATTEMPT_TIMEOUT' } });
  expect(await late.promise).toMatchObject({ name: 'AttemptFenced' });
  expect((await world.task(runId, 'slow')).sideEffects).toBeUndefined();
});

it('ends an attempt that gives no sign of life, and not one that does', async () => {
  const beats = async (context: { heartbeat: () => void }, count: number): Promise<string> => {
    for (let beat = 0; beat < count; beat += 1) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      context.heartbeat();
    }
    return 'alive';
  };
  await world.start(actionList(action('lively', (_input, context) => beats(context, 6)), action('mute', () => new Promise(() => undefined))));
  const lively = await world.request([{ id: 'a', action: 'lively', heartbeat: 150 }]);
  const mute = await world.request([{ id: 'a', action: 'mute', heartbeat: 150, ...ONCE_ONLY }]);
  await Promise.all([world.finish(lively), world.finish(mute)]);
  expect(await world.task(lively, 'a')).toMatchObject({ status: 'completed', output: 'alive' });
  expect(await world.task(mute, 'a')).toMatchObject({ status: 'failed', error: { code: 'HEARTBEAT_TIMEOUT' } });
});
