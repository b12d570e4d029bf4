import { defineAction, type Action, type Verification } from '@foldwork/actions';
import { stringifyJson, type Json, type RunId } from '@foldwork/events';
import { actionList, ExecutorWorld } from './executor-world';

let world: ExecutorWorld;
let calls: string[];
beforeEach(async () => {
  world = await ExecutorWorld.open();
  calls = [];
});
afterEach(() => world.close());

/** Records a side effect, then loses the answer the first `losses` times. */
const upload = (losses: number, effect: Action<Json>['effect'], verify?: () => Verification | Promise<Verification>): Action<Json> =>
  defineAction({
    name: 'upload',
    effect,
    run: async (_input, context) => {
      calls.push(`run ${context.attempt} ${context.effectKey}`);
      await context.recordSideEffect({ image_id: `vinted_${context.attempt}` });
      if (calls.filter((call) => call.startsWith('run')).length <= losses) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      return context.sideEffects;
    },
    ...(verify !== undefined && { verify: () => (calls.push('verify'), verify()) }),
  });

const uploaded = async (action: Action<Json>, task: object = {}): Promise<RunId> => {
  await world.start(actionList(action));
  const runId = await world.request([{ id: 'upload', action: 'upload', ...task }]);
  await world.finish(runId);
  return runId;
};
const runs = (): string[] => calls.filter((call) => call.startsWith('run'));

it('[S0-08] runs without asking: an idempotent task on its retry, a keyed one without verifier, and a once task that has done nothing yet', async () => {
  const idempotent = await uploaded(upload(1, 'idempotent', () => ({ applied: true })));
  expect(runs()).toHaveLength(2);
  expect(calls).not.toContain('verify');
  expect(await world.task(idempotent, 'upload')).toMatchObject({ status: 'completed', attempt: 2 });

  calls = [];
  await world.close();
  world = await ExecutorWorld.open();
  await uploaded(upload(1, 'keyed'), { key: 'run.workflow + "/front"' });
  expect(calls).toEqual(['run 1 test/front', 'run 2 test/front']);

  calls = [];
  await world.close();
  world = await ExecutorWorld.open();
  await uploaded(upload(0, 'once', () => ({ applied: true })));
  expect(calls).toEqual([expect.stringMatching(/^run 1 /)]);
});

it('[S0-09] [S0-10] does not call the handler again when the effect is found, and completes with the side effects of before', async () => {
  const runId = await uploaded(upload(1, 'once', () => ({ applied: true })));
  expect(calls).toEqual([expect.stringMatching(/^run 1 /), 'verify']);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', attempt: 2, output: { image_id: 'vinted_1' }, sideEffects: { image_id: 'vinted_1' } });
  expect(await world.events(runId, 'upload')).toContainEqual(expect.objectContaining({ type: 'EffectVerified', data: expect.objectContaining({ answer: 'applied', attempt: 2 }) }));
});

it('[S0-09] runs the handler again when the effect is not there', async () => {
  const runId = await uploaded(upload(1, 'once', () => ({ applied: false })));
  expect(calls).toEqual([expect.stringMatching(/^run 1 /), 'verify', expect.stringMatching(/^run 2 /)]);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { image_id: 'vinted_2' }, sideEffects: { image_id: 'vinted_2' } });
});

it.each([
  ['says so', () => ({ applied: 'unknown' as const })],
  ['fails each time', () => Promise.reject(new Error('no answer'))],
  ['gives no answer', () => undefined as unknown as Verification],
])('escalates instead of guessing when the verifier %s', async (_case, verify) => {
  const runId = await uploaded(upload(1, 'once', verify));
  expect(runs()).toHaveLength(1);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'escalated', error: { code: 'EFFECT_UNKNOWN' } });
});

const circle: Record<string, unknown> = {};
circle['self'] = circle;
const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1);

it.each([
  ['too deep', () => ({ deep })],
  ['too large', () => ({ text: 'x'.repeat(9_000_000) })],
  ['no Unicode', () => ({ text: '\ud800' })],
  ['a circle', () => circle],
  ['there to be read only once', () => { let isRead = false; return { get x() { if (isRead) throw new Error('hostile'); isRead = true; return 1; } }; }],
])('believes a verifier whose output the log cannot hold: %s', async (_case, output) => {
  const runId = await uploaded(upload(1, 'once', () => ({ applied: true, output: output() as never })), { retry: { maximumAttempts: 1 } });
  expect(runs()).toHaveLength(1);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { image_id: 'vinted_1' } });
});

it('believes a verifier whose output is too large only together with the side effects', async () => {
  const large = (name: string) => ({ [name]: 'x'.repeat(5_000_000) });
  const recording: Action<Json> = { ...upload(1, 'once', () => ({ applied: true, output: large('found') })), run: async (_input, context) => {
    await context.recordSideEffect(large('recorded'));
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  } };
  const first = await world.start(actionList(recording), {}, { consumes: false });
  const runId = await world.request([{ id: 'upload', action: 'upload' }]);
  for (const now of [Date.now(), Date.now() + 3_600_000]) {
    const [command] = await world.decide(runId, { send: false, now }); // larger than a bus would carry
    await first.handle({ payload: stringifyJson(command), deliveries: 1, ack: () => undefined, retryLater: () => undefined });
  }
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: large('recorded') });
});

it('is lost with its executor when that stops between two questions', async () => {
  const first = await world.start(actionList(upload(1, 'once', () => Promise.reject(new Error('no answer')))), { stopMs: 0 });
  const runId = await world.request([{ id: 'upload', action: 'upload' }]);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'upload')).status === 'failed', 'the first attempt to fail');
  await world.decide(runId, { now: Date.now() + 3_600_000 });
  await world.until(() => calls.filter((call) => call === 'verify').length === 2, 'the second question');
  await first.stop();
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'failed', error: { code: 'LEASE_LOST' } });
});

it('only asks after the last attempt: found completes, not found fails, and the handler is not called', async () => {
  const found = await uploaded(upload(1, 'once', () => ({ applied: true })), { retry: { maximumAttempts: 1 } });
  expect(runs()).toHaveLength(1);
  expect(await world.task(found, 'upload')).toMatchObject({ status: 'completed' });

  calls = [];
  await world.close();
  world = await ExecutorWorld.open();
  const lost = await uploaded(upload(1, 'once', () => ({ applied: false })), { retry: { maximumAttempts: 1 } });
  expect(runs()).toHaveLength(1);
  expect(await world.task(lost, 'upload')).toMatchObject({ status: 'failed' });
});

it('asks again when the executor stopped while it asked for the last time', async () => {
  const asked = Promise.withResolvers<void>();
  const first = await world.start(actionList(upload(1, 'once', () => (asked.resolve(), calls.length < 3 ? new Promise(() => undefined) : { applied: true }))), { stopMs: 0 });
  const runId = await world.request([{ id: 'upload', action: 'upload', retry: { maximumAttempts: 1 } }]);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'upload')).status === 'failed', 'the first attempt to fail');
  await world.decide(runId, { now: Date.now() + 3_600_000 });
  await asked.promise;
  await first.stop();
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'failed', verify: 'only', error: { code: 'LEASE_LOST' } });
  await world.start(actionList(upload(1, 'once', () => ({ applied: true }))), { name: 'other' });
  await world.finish(runId);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { image_id: 'vinted_1' } });
  expect(runs()).toHaveLength(1);
});

it('asks the action that the definition names, and believes its `found`', async () => {
  const find = defineAction<Json>({ name: 'find', effect: 'none', run: (input) => (calls.push(`find ${JSON.stringify(input)}`), { hits: [7] }) });
  await world.start(actionList(upload(1, 'once'), find));
  const verify = { action: 'find', with: { sha: '${ input.sha }' }, found: 'size(result.hits) > 0' };
  const runId = await world.request([{ id: 'upload', action: 'upload', verify }], { sha: 'abc' });
  await world.finish(runId);
  expect(calls).toEqual([expect.stringMatching(/^run 1 /), 'find {"sha":"abc"}']);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { image_id: 'vinted_1', hits: [7] } });
});

it('writes the intent of an effect into the claim, before the handler runs', async () => {
  const runId = await uploaded(upload(0, 'once', () => ({ applied: true })));
  const [claim] = await world.events(runId, 'upload');
  expect(claim).toMatchObject({ data: { transition: 'begin', effect: { class: 'once', key: `run_${runId}/upload` } } });
});

it('refuses a key that does not tell effects apart', async () => {
  const runId = await uploaded(upload(0, 'keyed'), { key: 'input' });
  expect(calls).toEqual([]);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'failed', error: { code: 'KEY_INVALID' } });
});

it('leaves the question to an executor that has the action which answers it', async () => {
  const executor = await world.start(actionList(upload(1, 'once')));
  const runId = await world.request([{ id: 'upload', action: 'upload', verify: { action: 'find', found: 'size(result.hits) > 0' } }]);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'upload')).status === 'failed', 'the first attempt to fail');
  await world.decide(runId, { now: Date.now() + 3_600_000 });
  await world.until(() => world.linesOf('action_missing').length > 0, 'a warning');
  expect(world.linesOf('action_missing')[0]).toMatchObject({ task: 'upload', action: 'find' });
  await executor.stop();
  await world.start(actionList(upload(1, 'once'), defineAction<Json>({ name: 'find', effect: 'none', run: () => ({ hits: [7] }) })), { name: 'other' });
  await world.finish(runId);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { image_id: 'vinted_1', hits: [7] } });
  expect(runs()).toHaveLength(1);
});

it('does not expect signs of life from an action that only answers the question', async () => {
  const find = defineAction<Json>({ name: 'find', effect: 'none', run: async () => { await new Promise((resolve) => setTimeout(resolve, 150)); return { hits: [7] }; } });
  await world.start(actionList(upload(1, 'once'), find));
  const runId = await world.request([{ id: 'upload', action: 'upload', heartbeat: 50, verify: { action: 'find', found: 'size(result.hits) > 0' } }]);
  await world.finish(runId);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed' });
});

it('escalates instead of failing when the question cannot even be asked: the input is refused by now', async () => {
  const first = await world.start(actionList(upload(1, 'once', () => ({ applied: true }))));
  const runId = await world.request([{ id: 'upload', action: 'upload', with: { size: 'big' } }]);
  await world.decide(runId);
  await world.until(async () => (await world.task(runId, 'upload')).status === 'failed', 'the first attempt to fail');
  await first.stop();
  const strict = { type: 'object', properties: { size: { type: 'number' } } };
  await world.start(actionList({ ...upload(1, 'once', () => ({ applied: true })), input: strict }), { name: 'newer' });
  await world.finish(runId);
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'escalated', error: { code: 'EFFECT_UNKNOWN', message: expect.stringContaining('refuses the input') } });
});

it.each([['too deep', { deep } as never], ['no JSON', { n: 1n } as never]])('asks after the last attempt when that failed over a side effect that the log cannot hold: %s', async (_case, effect) => {
  const charge: Action<Json> = { ...upload(0, 'once', () => ({ applied: true, output: { id: 7 } })), run: (_input, context) => context.recordSideEffect(effect) };
  const runId = await uploaded(charge, { retry: { maximumAttempts: 1 } });
  expect(await world.task(runId, 'upload')).toMatchObject({ status: 'completed', output: { id: 7 } });
});
