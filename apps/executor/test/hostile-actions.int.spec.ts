import { z } from 'zod';
import { ActionError, defineAction, type Action } from '@foldwork/actions';
import { parseJson, type Json, type JsonObject } from '@foldwork/events';
import { actionList, ExecutorWorld } from './executor-world';

const action = (name: string, run: Action<Json>['run'], more: Partial<Action<Json>> = {}): Action<Json> => defineAction({ name, effect: 'idempotent', run, ...more });
const ONCE_ONLY = { retry: { maximumAttempts: 1 } };

let world: ExecutorWorld;
beforeEach(async () => {
  world = await ExecutorWorld.open();
});
afterEach(() => world.close());

describe('an action that changes its input', () => {
  const spoil = action('spoil', (input) => {
    const { list } = input as { list: Json[] };
    const before = [...list];
    list.push('spoilt');
    return before;
  });

  it.each([
    ['from the input of the run', '${ input.list }'],
    ['written in the definition', ['clean']],
    ['that a task before it gave', '${ tasks.first.output }'],
  ])('changes it for nobody else: a value %s', async (_case, list) => {
    await world.start(actionList(spoil, action('clean', () => ['clean'])));
    const tasks = [{ id: 'first', action: 'clean' }, ...['a', 'b'].map((id) => ({ id, action: 'spoil', with: { list } }))];
    const each = { id: 'each', type: 'collection', items: [1, 2], each: [{ id: 'c', type: 'basic', action: 'spoil', with: { list } }] };
    const runId = await world.request([...tasks, each], { list: ['clean'] });
    expect((await world.finish(runId)).status).toBe('succeeded');
    for (const path of ['a', 'b', 'each[0]', 'each[1]']) expect([path, (await world.task(runId, path)).output]).toEqual([path, ['clean']]);
  });

  it('gets exact numbers as they are', async () => {
    await world.start(actionList(action('echo', (input) => input)));
    const runId = await world.request([{ id: 'a', action: 'echo', with: { n: '${ input.n }' } }], parseJson('{"n":1.00000000000000000001}'));
    await world.finish(runId);
    expect(JSON.stringify((await world.task(runId, 'a')).output)).toBe('{"n":1.00000000000000000001}');
  });
});

const withMessage = (message: unknown): Error => Object.assign(new Error('x'), { message });
const deep = (levels: number): Json => Array.from({ length: levels }).reduce<Json>((inner) => [inner], 1);
const THROWN: readonly [string, () => unknown, JsonObject][] = [
  ['an error whose message is a number', () => withMessage(404), { code: 'ACTION_FAILED', message: '404' }],
  ['an error whose message is a map', () => withMessage({ reason: 'gone' }), { code: 'ACTION_FAILED', message: '{"reason":"gone"}' }],
  ['an error without a name', () => Object.assign(new Error('no name'), { name: undefined }), { code: 'ACTION_FAILED', message: 'no name' }],
  ['nothing', () => undefined, { code: 'ACTION_FAILED', message: 'undefined' }],
  ['a symbol', () => Symbol('s'), { code: 'ACTION_FAILED', message: 'Symbol(s)' }],
  ['a map without a prototype', () => Object.create(null), { code: 'ACTION_FAILED', message: '{}' }],
  ['an error whose members throw', () => Object.defineProperty(new Error('x'), 'message', { get: () => { throw new Error('hostile'); } }), { code: 'ACTION_FAILED', message: expect.any(String) as never }],
  ['a proxy that refuses everything', () => new Proxy({}, { get: () => { throw new Error('no'); }, getPrototypeOf: () => { throw new Error('no'); } }), { code: 'ACTION_FAILED', message: expect.any(String) as never }],
];

it('whatever an action throws, it has failed, with what can be read of it', async () => {
  await world.start(actionList(...THROWN.map(([, thrown], index) => action(`hostile${index}`, () => Promise.reject(thrown())))));
  const runIds = await Promise.all(THROWN.map((_case, index) => world.request([{ id: 'a', action: `hostile${index}`, ...ONCE_ONLY }])));
  await Promise.all(runIds.map((runId) => world.finish(runId)));
  const errors = await Promise.all(runIds.map(async (runId, index) => [THROWN[index]?.[0], (await world.task(runId, 'a')).error]));
  expect(errors).toEqual(THROWN.map(([what, , error]) => [what, error]));
});

it('whatever an undo throws, the run ends', async () => {
  await world.start(actionList(action('fine', () => 1), ...THROWN.map(([, thrown], index) => action(`hostile${index}`, () => Promise.reject(thrown())))));
  const runIds = await Promise.all(THROWN.map((_case, index) => {
    const hostile = { action: `hostile${index}` };
    return world.request([{ id: 'a', action: 'fine', ...ONCE_ONLY, undo: hostile }, { id: 'b', ...hostile, ...ONCE_ONLY }], {}, { rollback: 'onFailure' });
  }));
  for (const run of await Promise.all(runIds.map((runId) => world.finish(runId)))) expect(run).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED' } });
});

it('details that the log cannot hold do not keep the end of an undo out of it', async () => {
  const hostile = action('hostile', () => Promise.reject(new ActionError('DEEP', 'too deep', { details: deep(100) })));
  await world.start(actionList(hostile, action('fine', () => 1)));
  const runId = await world.request([{ id: 'a', action: 'fine', ...ONCE_ONLY, undo: { action: 'hostile' } }, { id: 'b', action: 'hostile', ...ONCE_ONLY }], {}, { rollback: 'onFailure' });
  expect(await world.finish(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED' } });
  expect((await world.task(runId, 'b')).error).toMatchObject({ code: 'DEEP', message: 'too deep' });
});

const RETURNED: readonly [string, () => unknown, string][] = [
  ['a getter that throws', () => ({ get x() { throw new Error('hostile'); } }), 'RESULT_REFUSED'],
  ['a proxy that throws', () => new Proxy({}, { ownKeys: () => { throw new Error('hostile'); } }), 'RESULT_REFUSED'],
  ['a BigInt', () => ({ n: 1n }), 'RESULT_REFUSED'],
  ['levels without end', () => deep(50_000), 'RESULT_REFUSED'],
  ['a thenable that throws', () => ({ then: () => { throw withMessage(1); } }), 'ACTION_FAILED'],
];

it('whatever an action answers that is no JSON, it has failed', async () => {
  await world.start(actionList(...RETURNED.map(([, returned], index) => action(`odd${index}`, returned))));
  const runIds = await Promise.all(RETURNED.map((_case, index) => world.request([{ id: 'a', action: `odd${index}`, ...ONCE_ONLY }])));
  await Promise.all(runIds.map((runId) => world.finish(runId)));
  const ends = await Promise.all(runIds.map((runId) => world.task(runId, 'a')));
  expect(ends.map(({ status, error }) => [status, error?.code])).toEqual(RETURNED.map(([, , code]) => ['failed', code]));
});

it.each([['a circle', () => { const circle: JsonObject = {}; circle['self'] = circle; return circle; }], ['toJSON that throws', () => ({ toJSON: () => { throw new Error('hostile'); } }) as never]])(
  'a side effect that is %s fails the action that waits for it, and ends nobody else', async (_case, effect) => {
    await world.start(actionList(action('odd', (_input, context) => {
      void context.recordSideEffect(effect());
      return context.recordSideEffect(effect());
    })));
    const runId = await world.request([{ id: 'a', action: 'odd', ...ONCE_ONLY }]);
    await world.finish(runId);
    expect((await world.task(runId, 'a')).status).toBe('failed');
  });

it('a side effect is recorded as it was when the action said so', async () => {
  await world.start(actionList(action('reuse', async (_input, context) => {
    const effect = { step: { done: 0 } };
    const recorded: Promise<void>[] = [];
    for (; effect.step.done < 3; effect.step.done += 1) recorded.push(context.recordSideEffect(effect));
    await Promise.all(recorded);
    return context.sideEffects;
  })));
  const runId = await world.request([{ id: 'a', action: 'reuse', ...ONCE_ONLY }]);
  await world.finish(runId);
  const effects = (await world.events(runId, 'a')).flatMap((event) => (event.type === 'SideEffectRecorded' ? [event.data.effect] : []));
  expect(effects).toEqual([0, 1, 2].map((done) => ({ step: { done } })));
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'completed', output: { step: { done: 2 } }, sideEffects: { step: { done: 2 } } });
});

it.each([
  ['that throws', z.custom<Json>().transform((): Json => { throw new Error('refused'); })],
  ['that answers later', z.custom<Json>().refine(() => Promise.resolve(true))],
])('an input schema %s fails the task; it does not wait for ever', async (_case, input) => {
  await world.start(actionList(action('strict', () => 1, { input })));
  const runId = await world.request([{ id: 'a', action: 'strict', ...ONCE_ONLY }]);
  await world.finish(runId);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'failed', error: { code: 'INPUT_INVALID' } });
});

it('an input with more faults than an event can name fails its task', async () => {
  await world.start(actionList(action('strict', () => 1, { input: z.object({ list: z.array(z.string()) }) as never })));
  const runId = await world.request([{ id: 'a', action: 'strict', with: { list: '${ input.list }' }, ...ONCE_ONLY }], { list: Array.from({ length: 300_000 }, () => 7) });
  await world.finish(runId);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'failed', error: { code: 'INPUT_INVALID', message: expect.stringContaining('list.0') } });
});

it.each([
  ['a circle', () => { const circle: JsonObject = {}; circle['self'] = circle; return circle; }],
  ['a getter that throws', () => ({ get x(): Json { throw new Error('hostile'); } })],
])('a line that cannot be written does not fail the action: %s', async (_case, fields) => {
  await world.start(actionList(action('talk', (_input, context) => (context.log('before', fields()), 'done'))), {}, { secrets: { read: () => Promise.resolve('hunter22') } });
  const runId = await world.request([{ id: 'a', action: 'talk', with: { token: { $secret: 'x' } }, ...ONCE_ONLY }]);
  await world.finish(runId);
  expect(await world.task(runId, 'a')).toMatchObject({ status: 'completed', output: 'done' });
  expect(world.linesOf('action_log')).toMatchObject([{ task: 'a', message: 'before' }]);
});
