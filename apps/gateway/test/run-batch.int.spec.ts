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
  const again = await submitBatch({ runs: [keyed('batch-2'), keyed('batch-1')] });
  expect(again.status).toBe(202);
  expect(results(again).map(({ runId }) => runId)).toEqual([results(answer)[1]?.runId, single.body.runId]);
});

it.each([
  ['no runs', {}, 'wrong_type', '/runs'],
  ['an empty list', { runs: [] }, 'out_of_range', '/runs'],
  ['one run in place of a list', { runs: { workflow: 'demo.ordered' } }, 'wrong_type', '/runs'],
  ['too many', { runs: Array(1_001).fill({ workflow: 'demo.ordered' }) }, 'out_of_range', '/runs'],
  ['an unknown field', { runs: [{ workflow: 'demo.ordered' }], atOnce: true }, 'unknown_field', '/atOnce'],
])('refuses a request as a whole: %s', async (_name, json, code, pointer) => {
  const before = (await requested()).length;
  const answer = await submitBatch(json);
  expect(answer).toMatchObject({ status: 422, body: { error: 'validation_failed', faults: [{ code, pointer }] } });
  expect(await requested()).toHaveLength(before);
});

it('loses no acknowledged run and doubles none when Postgres is killed under load', async () => {
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
  const runIds = (await requested()).map(({ runId }) => `run_${runId}`);
  expect(new Set(runIds).size).toBe(runIds.length);
  const known = new Set(runIds);
  expect([...acknowledged.values()].filter((runId) => !known.has(runId))).toEqual([]);
  const keys = [...acknowledged.keys()];
  for (const some of [keys.slice(0, 500), keys.slice(-500)]) {
    const again = await submitBatch({ runs: some.map((key) => keyed(key)) });
    expect(results(again).map(({ status, runId }) => [status, runId])).toEqual(some.map((key) => [200, acknowledged.get(key)]));
  }
}, 60_000);
