import { defineAction, type Action, type Verification } from '@foldwork/actions';
import { formatRunId, stringifyJson, type Json, type RunId } from '@foldwork/events';
import { actionList, ExecutorWorld, Gate } from './executor-world';

const ONCE_ONLY = { retry: { maximumAttempts: 1 } };
const ROLLBACK = { rollback: 'onFailure' };

let world: ExecutorWorld;
let undone: { input: Json; key: string; attempt: number }[];
beforeEach(async () => {
  world = await ExecutorWorld.open();
  undone = [];
});
afterEach(() => world.close());

const action = (name: string, run: Action<Json>['run'], more: Partial<Action<Json>> = {}): Action<Json> => defineAction({ name, effect: 'idempotent', run, ...more });
const echo = action('echo', (input) => input);
const fails = action('fails', () => Promise.reject(new Error('no')));
/** Fails the first `failures` times. */
const undo = (failures = 0): Action<Json> =>
  action('undo', (input, { effectKey, attempt }) => {
    undone.push({ input, key: effectKey, attempt });
    if (undone.length <= failures) throw Object.assign(new Error('not now'), { code: 'BUSY' });
  });
const DRAFT = { id: 'draft', action: 'echo', with: { id: 'd1' }, undo: { action: 'undo', with: { draft: '${ output.id }', of: '${ task.id }' } } };

it('undoes what finished, last first, each with its own output and a key of its own, and records both ends', async () => {
  await world.start(actionList(echo, fails, undo()));
  const images = { id: 'images', type: 'collection', items: "['a', 'b']", mode: 'sequential', each: [{ id: 'up', type: 'basic', action: 'echo', with: { of: '${ item }' }, undo: { action: 'undo', with: { image: '${ item }', was: '${ output.of }' } } }] };
  const runId = await world.request([DRAFT, images, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  expect(await world.finish(runId)).toMatchObject({ status: 'rolled_back' });
  expect(undone.map(({ input }) => input)).toEqual([{ image: 'b', was: 'b' }, { image: 'a', was: 'a' }, { draft: 'd1', of: 'draft' }]);
  expect(undone.map(({ key }) => key)).toEqual(['images[1]', 'images[0]', 'draft'].map((path) => `run_${runId}/${path}/undo`));
  expect((await world.events(runId, 'draft')).slice(-2)).toMatchObject([{ type: 'TaskUndoTransitioned', data: { to: 'started', executor: 'worker#1' } }, { type: 'TaskUndoTransitioned', data: { to: 'completed' } }]);
});

it('tries an undo again that failed, keeps its reason, and gives up when its attempts are used up', async () => {
  await world.start(actionList(echo, fails, undo(2)));
  const runId = await world.request([{ ...DRAFT, retry: { maximumAttempts: 3 } }, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  expect(await world.finish(runId)).toMatchObject({ status: 'rolled_back' });
  expect(undone.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(await world.events(runId, 'draft')).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ to: 'failed', error: { code: 'BUSY', message: 'not now' } }) }));
  undone.length = 0;
  const hopeless = await world.request([{ ...DRAFT, ...ONCE_ONLY }, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  expect(await world.finish(hopeless)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED', message: expect.stringContaining('not now') } });
});

it('fails an undo whose input cannot be made, without calling its action', async () => {
  await world.start(actionList(echo, fails, undo()));
  const runId = await world.request([{ ...DRAFT, ...ONCE_ONLY, undo: { action: 'undo', with: '${ output.nothing }' } }, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  expect(await world.finish(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED' } });
  expect((await world.task(runId, 'draft')).undoError).toMatchObject({ code: 'EXPRESSION_ERROR' });
  expect(undone).toEqual([]);
});

it('leaves an undo alone whose action nobody here has, and warns by name', async () => {
  await world.start(actionList(echo, fails));
  const runId = await world.request([DRAFT, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  await world.decide(runId);
  await world.until(async () => (await world.run(runId)).tasks.get('last' as never)?.status === 'failed', 'the failure');
  await world.decide(runId);
  await world.until(() => world.linesOf('action_missing').length > 0, 'a warning');
  expect(world.linesOf('action_missing')[0]).toMatchObject({ level: 'warn', runId: formatRunId(runId), task: 'draft', action: 'undo' });
  expect((await world.task(runId, 'draft')).undo).toBeUndefined();
});

it('undoes once when the command is doubled', async () => {
  await world.start(actionList(echo, fails, undo()));
  const runId = await world.request([DRAFT, { id: 'last', action: 'fails', ...ONCE_ONLY }], {}, ROLLBACK);
  await world.decide(runId);
  await world.until(async () => (await world.run(runId)).tasks.get('last' as never)?.status === 'failed', 'the failure');
  const [command] = await world.decide(runId, { send: false });
  for (let copy = 0; copy < 3; copy += 1) await world.bus.publishStep('default', runId, stringifyJson(command));
  expect(await world.finish(runId)).toMatchObject({ status: 'rolled_back' });
  expect(undone).toHaveLength(1);
});

/** A run that fails while nobody knows yet what comes of its payment. */
const doubtful = async (verify: () => Verification): Promise<RunId> => {
  const gate = new Gate();
  const asked: Json[] = [];
  const pay = action('pay', () => gate.pass(), { effect: 'once', verify: (input) => (asked.push(input), verify()) });
  await world.start(actionList(pay, undo()));
  const runId = await world.request([{ id: 'pay', action: 'pay', with: { cents: 5 }, ...ONCE_ONLY, undo: { action: 'undo', with: { payment: '${ output.payment }' } } }], {}, { ...ROLLBACK, timeout: 1_000 });
  await world.decide(runId);
  await gate.arrival;
  await world.decide(runId, { now: Date.now() + 60_000 }); // the run is over its limit
  await world.until(async () => ['completed', 'failed'].includes((await world.task(runId, 'pay')).undo ?? ''), 'the end of the undo');
  gate.open();
  expect(asked).toEqual([{ cents: 5 }]);
  return runId;
};

it('asks about an effect that nobody knows of, and undoes what was found with the output that verify knows', async () => {
  const runId = await doubtful(() => ({ applied: true, output: { payment: 'p7' } }));
  expect(undone.map(({ input }) => input)).toEqual([{ payment: 'p7' }]);
  expect(await world.finish(runId)).toMatchObject({ status: 'rolled_back' });
});

it('has nothing to undo where the effect did not take place', async () => {
  const runId = await doubtful(() => ({ applied: false }));
  expect(undone).toEqual([]);
  expect(await world.finish(runId)).toMatchObject({ status: 'rolled_back' });
});

it('undoes nothing where nobody can say, and says so', async () => {
  const runId = await doubtful(() => ({ applied: 'unknown' }));
  expect(undone).toEqual([]);
  expect(await world.finish(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED', message: expect.stringContaining('nobody can say') } });
});

/** A run whose payment has an unclear end, and no attempt left; the one that asks and undoes is another executor. */
const lostPayment = async (pay: Action<Json>, undoer: readonly Action<Json>[], verify: object = {}): Promise<RunId> => {
  const payer = await world.start(actionList(pay), { name: 'payer' });
  const more = { ...ROLLBACK, timeout: 1_000 };
  const runId = await world.request([{ id: 'pay', action: 'pay', ...ONCE_ONLY, ...verify, undo: { action: 'undo', with: { payment: '${ output.payment }' } } }], {}, more);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'pay')).sideEffects !== undefined, 'the payment');
  const [command] = await world.decide(runId, { now: Date.now() + 60_000, send: false });
  await payer.stop();
  const other = await world.start(actionList(...undoer), { name: 'undoer' }, { consumes: false });
  await other.handle({ payload: stringifyJson(command), deliveries: 3, ack: () => undefined, retryLater: () => undefined });
  return runId;
};
const pay = (verify?: Action<Json>['verify']): Action<Json> => action('pay', async (_input, { recordSideEffect, signal }) => {
  await recordSideEffect({ payment: 'p8' });
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}, { effect: 'once', ...(verify && { verify }) });

it('undoes what was found with what the task recorded before it was lost', async () => {
  const found = pay(() => ({ applied: true }));
  await lostPayment(found, [found, undo()]);
  expect(undone.map(({ input }) => input)).toEqual([{ payment: 'p8' }]);
});

it('does not ask the undo about itself where nobody here has the action that knows', async () => {
  const runId = await lostPayment(pay(() => ({ applied: true })), [{ ...undo(), verify: () => ({ applied: false }) }]);
  expect((await world.task(runId, 'pay')).undo).toBeUndefined();
  expect(world.linesOf('action_missing')).toMatchObject([{ task: 'pay', action: 'pay' }]);
});
