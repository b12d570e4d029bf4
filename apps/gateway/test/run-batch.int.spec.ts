import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_MIGRATIONS } from '@foldwork/platform';
import { createTestDatabase, startThrowawayPostgres, type ThrowawayPostgres } from '@foldwork/testing';
import { DEFINITION, GatewayFixture, submit, type Answer } from './gateway-fixture';

interface Result {
  readonly status: number;
  readonly runId?: string;
  readonly problem?: { readonly error: string; readonly faults?: readonly { readonly pointer: string }[] };
}

let postgres: ThrowawayPostgres;
let fixture: GatewayFixture;
beforeAll(async () => {
  postgres = await startThrowawayPostgres();
  const database = await createTestDatabase({ migrations: ALL_MIGRATIONS, serverUrl: postgres.url });
  fixture = await GatewayFixture.start({ databaseUrl: database.url });
  await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: DEFINITION });
}, 60_000);
afterAll(async () => {
  await fixture.close();
  await postgres.stop();
});

const submitBatch = (json: unknown): Promise<Answer> => fixture.call('POST', '/orchestrator/runs/batch', { json });
const results = (answer: Answer): readonly Result[] => (answer.body as { results: Result[] }).results;
const requested = async () => (await fixture.log.readAfter(0, 100_000)).filter(({ type }) => type === 'RunRequested');
const keyed = (idempotencyKey: string, input: object = {}) => ({ workflow: 'demo.ordered', input, idempotencyKey });

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 30_000; !isSo(); await sleep(10)) if (Date.now() > deadline) throw new Error('waited too long');
};

it('accepts many runs in the order of the request, in one commit', async () => {
  const inputs = Array.from({ length: 400 }, (_, n) => ({ n }));
  const answer = await submitBatch({ runs: inputs.map((input) => ({ workflow: 'demo.ordered', input })) });
  expect(answer.status).toBe(202);
  expect(results(answer).map(({ status }) => status)).toEqual(Array(400).fill(202));
  const events = (await requested()).slice(-400);
  expect(events.map(({ runId }) => `run_${runId}`)).toEqual(results(answer).map(({ runId }) => runId));
  expect(events.map(({ data }) => (JSON.parse(data) as { input: object }).input)).toEqual(inputs);
  expect(new Set(events.map(({ recordedAt }) => recordedAt)).size).toBe(1);
  const [last] = results(answer).slice(-1);
  expect((await fixture.call('GET', `/orchestrator/runs/${String(last?.runId)}`)).body).toMatchObject({ status: 'pending', input: { n: 399 } });
});

it('keeps the order of the request, in one commit, where keys were used before', async () => {
  const used = [0, 499, 999];
  await submitBatch({ runs: used.map((n) => keyed(`place-${n}`, { n })) });
  const runs = Array.from({ length: 1_000 }, (_, n) => (used.includes(n) ? keyed(`place-${n}`, { n }) : { workflow: 'demo.ordered', input: { n } }));
  const answer = await submitBatch({ runs });
  expect(results(answer).map(({ status }) => status)).toEqual(runs.map((_, n) => (used.includes(n) ? 200 : 202)));
  const events = (await requested()).slice(-997);
  expect(events.map(({ runId }) => `run_${runId}`)).toEqual(results(answer).filter(({ status }) => status === 202).map(({ runId }) => runId));
  expect(new Set(events.map(({ recordedAt }) => recordedAt)).size).toBe(1);
});

it('refuses what is wrong for itself, names the place in the whole request, and accepts the rest', async () => {
  const before = (await requested()).length;
  const runs = [
    { workflow: 'demo.ordered', input: { s: 'fine' } },
    { workflow: 'demo.ordered', input: { n: 'no number' } },
    { workflow: 'nowhere' },
    { workflow: 'demo.ordered', inputs: {} },
    'demo.ordered',
    { workflow: 'demo.ordered', definition: DEFINITION },
    keyed('with a line\nbreak'),
    null,
    { workflow: 'demo.ordered', idempotencyKey: 'a', idempotency_key: 'b' },
    { definition: { ...DEFINITION, lane: { key: "'\\u0000'", limit: 1 } } },
    { definition: DEFINITION, input: { s: 'fine too' } },
  ];
  const answer = await submitBatch({ runs });
  expect(answer.status).toBe(207);
  expect(results(answer).map(({ status, problem }) => [status, problem?.error, problem?.faults?.[0]?.pointer])).toEqual([
    [202, undefined, undefined],
    [422, 'validation_failed', '/runs/1/input/n'],
    [400, 'unknown_workflow', undefined],
    [422, 'validation_failed', '/runs/3/inputs'],
    [422, 'validation_failed', '/runs/4'],
    [422, 'validation_failed', '/runs/5'],
    [400, 'invalid_idempotency_key', undefined],
    [422, 'validation_failed', '/runs/7'],
    [422, 'validation_failed', '/runs/8/idempotency_key'],
    [422, 'validation_failed', '/runs/9'],
    [202, undefined, undefined],
  ]);
  expect(await requested()).toHaveLength(before + 2);
});

it('knows a key again, within a request, in the next one and from a single one', async () => {
  const single = await submit(fixture, { json: { workflow: 'demo.ordered', input: {} }, headers: { 'idempotency-key': 'batch-1' } });
  const answer = await submitBatch({ runs: [keyed('batch-1'), keyed('batch-2'), keyed('batch-2'), keyed('batch-2', { n: 2 }), keyed('batch-1', { n: 2 })] });
  expect(answer.status).toBe(207);
  expect(results(answer).map(({ status, problem }) => problem?.error ?? status)).toEqual([200, 202, 200, 'idempotency_key_reused', 'idempotency_key_reused']);
  expect(results(answer)[0]?.runId).toBe(single.body.runId);
  const { idempotencyKey, ...first } = keyed('batch-1');
  const again = await submitBatch({ runs: [keyed('batch-2'), { ...first, idempotency_key: idempotencyKey }] });
  expect(again.status).toBe(202);
  expect(results(again).map(({ runId }) => runId)).toEqual([results(answer)[1]?.runId, single.body.runId]);
});

it('makes one run of each key that several requests give at the same moment', async () => {
  const keys = Array.from({ length: 60 }, (_, n) => `shared-${n}`);
  const parts = [keys, keys.toReversed(), keys.slice(20), keys.slice(0, 40), keys];
  const answers = await Promise.all(parts.map((part) => submitBatch({ runs: part.map((key) => keyed(key)) })));
  const known = new Map<string, string>();
  answers.forEach((answer, index) => results(answer).forEach(({ runId = '' }, place) => known.set(`${parts[index]?.[place]} ${runId}`, runId)));
  expect(known.size).toBe(60);
  expect(new Set(known.values()).size).toBe(60);
  expect(answers.flatMap(results).filter(({ status }) => status === 202)).toHaveLength(60);
  expect((await requested()).filter(({ data }) => data.includes('"shared-'))).toHaveLength(60);
});

it.each([
  ['no runs', {}, 'wrong_type', '/runs'],
  ['an empty list', { runs: [] }, 'out_of_range', '/runs'],
  ['one run in place of a list', { runs: { workflow: 'demo.ordered' } }, 'wrong_type', '/runs'],
  ['too many', { runs: Array(1_001).fill({ workflow: 'demo.ordered' }) }, 'out_of_range', '/runs'],
  ['an unknown field', { runs: [{ workflow: 'demo.ordered' }], atOnce: true }, 'unknown_field', '/atOnce'],
  ['a text that none can store', { runs: [{ workflow: 'demo.ordered' }, { workflow: 'demo.ordered', input: '\ud800' }] }, 'invalid_unicode', '/runs/1/input'],
  ['a key of prototypes', '{"runs":[{"workflow":"demo.ordered"},{"workflow":"demo.ordered","__proto__":{}}]}', 'prototype_key', '/runs/1/__proto__'],
])('refuses a request as a whole: %s', async (_name, json, code, pointer) => {
  const before = (await requested()).length;
  const answer = await fixture.call('POST', '/orchestrator/runs/batch', typeof json === 'string' ? { raw: json } : { json });
  expect(answer).toMatchObject({ status: 422, body: { error: 'validation_failed', faults: [{ code, pointer }] } });
  expect(await requested()).toHaveLength(before);
});

it('takes no header for the key of all, on which its sender would rely', async () => {
  const before = (await requested()).length;
  const answer = await fixture.call('POST', '/orchestrator/runs/batch', { json: { runs: [{ workflow: 'demo.ordered' }] }, headers: { 'idempotency-key': 'all' } });
  expect(answer).toMatchObject({ status: 400, body: { error: 'idempotency_key_of_batch' } });
  expect(await requested()).toHaveLength(before);
});

it('keeps exact numbers, and takes one for no run', async () => {
  const answer = await fixture.call('POST', '/orchestrator/runs/batch', { raw: '{"runs":[{"workflow":"demo.ordered","input":{"n":9007199254740993}},9007199254740993]}' });
  expect(results(answer)[1]).toMatchObject({ status: 422, problem: { faults: [{ pointer: '/runs/1', code: 'wrong_type' }] } });
  expect((await requested()).at(-1)?.data).toContain('"n":9007199254740993}');
});

it('stays in the namespace and the trace of its request', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const mine = await submitBatch({ runs: [keyed('mine')] });
  const json = { runs: [{ definition: DEFINITION, idempotencyKey: 'mine' }, { workflow: 'demo.ordered' }] };
  const theirs = await fixture.call('POST', '/orchestrator/runs/batch', { json, key: fixture.otherKeys.operator, headers: { traceparent } });
  expect(results(theirs).map(({ status, problem }) => problem?.error ?? status)).toEqual([202, 'unknown_workflow']);
  expect(results(theirs)[0]?.runId).not.toBe(results(mine)[0]?.runId);
  const event = (await requested()).at(-1);
  expect(event?.namespace).toBe('other');
  expect(JSON.parse(event?.metadata ?? '')).toMatchObject({ traceparent, requestId: theirs.headers.get('x-request-id') });
});

it('looks a workflow up once', async () => {
  await fixture.gateway.close();
  await fixture.startGateway(); // one that knows none yet
  const reads = jest.spyOn(fixture.log, 'readRuns');
  expect((await submitBatch({ runs: Array(1_000).fill({ workflow: 'demo.ordered' }) })).status).toBe(202);
  expect(reads.mock.calls.length).toBeLessThan(5); // it is read anew each second
  reads.mockRestore();
});

it('lets others have their turn while it looks at many definitions', async () => {
  const task = { id: 'a', type: 'basic', action: 'a', with: { m: '${ 1 + }' } };
  const runs = Array.from({ length: 1_000 }, (_, n) => ({ definition: { workflow: `wrong.${n}`, tasks: [task] } }));
  let [turn, longestMs] = [performance.now(), 0];
  const takeTurn = (): void => {
    longestMs = Math.max(longestMs, performance.now() - turn);
    turn = performance.now();
    next = setImmediate(takeTurn);
  };
  let next = setImmediate(takeTurn);
  const began = performance.now();
  expect((await submitBatch({ runs })).status).toBe(207);
  clearImmediate(next);
  expect(longestMs).toBeLessThan((performance.now() - began) / 2);
});

it('loses no acknowledged run, doubles none and accepts no request by half when Postgres is killed under load', async () => {
  const acknowledged = new Map<string, string>();
  const outages: Answer[] = [];
  let stop = false;
  const client = async (name: number): Promise<void> => {
    for (let index = 0; !stop; index += 1) {
      const keys = Array.from({ length: 100 }, (_, place) => `load-${name}-${index}-${place}`);
      const answer = await submitBatch({ runs: keys.map((key) => keyed(key)) });
      if (answer.status === 503) outages.push(answer);
      else results(answer).forEach(({ runId }, place) => runId && acknowledged.set(keys[place] ?? '', runId));
    }
  };
  const clients = Array.from({ length: 4 }, (_, name) => client(name));
  await until(() => acknowledged.size > 1_000);
  await postgres.kill();
  await until(() => outages.length > 0);
  await postgres.restart();
  const before = acknowledged.size;
  await until(() => acknowledged.size > before + 500);
  stop = true;
  await Promise.all(clients);
  expect(outages[0]).toMatchObject({ body: { error: 'store_unavailable' } });
  expect(outages[0]?.headers.get('retry-after')).toBe('1');
  const events = await requested();
  const runIds = events.map(({ runId }) => `run_${runId}`);
  expect(new Set(runIds).size).toBe(runIds.length);
  const known = new Set(runIds);
  expect([...acknowledged.values()].filter((runId) => !known.has(runId))).toEqual([]);
  const requests = Map.groupBy(events.flatMap(({ data }) => /"(load-\d+-\d+)-\d+"/.exec(data)?.[1] ?? []), (name) => name);
  expect(new Set([...requests.values()].map(({ length }) => length))).toEqual(new Set([100]));
  const keys = [...acknowledged.keys()];
  for (const some of [keys.slice(0, 500), keys.slice(-500)]) {
    const again = await submitBatch({ runs: some.map((key) => keyed(key)) });
    expect(results(again).map(({ status, runId }) => [status, runId])).toEqual(some.map((key) => [200, acknowledged.get(key)]));
  }
}, 60_000);
