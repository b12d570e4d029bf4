import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

const withKey = (key: string, json: unknown = { definition: DEFINITION, input: { s: 'x' } }) => ({ json, headers: { 'idempotency-key': key } });
const countRequested = async (): Promise<number> => (await fixture.log.readAfter(0, 100_000)).filter(({ type }) => type === 'RunRequested').length;

describe('Idempotency-Key', () => {
  it('gives the same run for the same key and body, 202 first and 200 then', async () => {
    const first = await submit(fixture, withKey('order-1'));
    const again = await submit(fixture, withKey('order-1'));
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  it('does not mind the order of members in the body', async () => {
    const first = await submit(fixture, withKey('order-2', { definition: DEFINITION, input: { n: 1, s: 'x' } }));
    const again = await submit(fixture, withKey('order-2', { input: { s: 'x', n: 1 }, definition: DEFINITION }));
    expect(again.body.runId).toBe(first.body.runId);
  });

  it('refuses the same key with another body, down to the last digit, and says which run has it', async () => {
    const raw = (n: string) => ({ raw: `{"definition":${JSON.stringify(DEFINITION)},"input":{"n":${n}}}`, headers: { 'idempotency-key': 'order-3' } });
    const first = await submit(fixture, raw('9007199254740993'));
    const other = await submit(fixture, raw('9007199254740992'));
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({ error: 'idempotency_key_reused' });
    expect(other.body.detail).toContain(first.body.runId);
  });

  it('keeps the keys of namespaces apart', async () => {
    const mine = await submit(fixture, withKey('order-4'));
    const theirs = await submit(fixture, { ...withKey('order-4', { definition: DEFINITION, input: { s: 'theirs' } }), key: fixture.otherKeys.operator });
    expect([mine.status, theirs.status]).toEqual([202, 202]);
    expect(theirs.body.runId).not.toBe(mine.body.runId);
  });

  it('makes one run of fifty simultaneous requests over two gateways', async () => {
    const before = await countRequested();
    const first = fixture.gateway;
    const second = await fixture.startGateway();
    const post = (url: string) => fetch(`${url}/orchestrator/runs`, {
      method: 'POST', body: JSON.stringify({ definition: DEFINITION, input: { s: 'x' } }),
      headers: { authorization: `Bearer ${fixture.keys.operator}`, 'content-type': 'application/json', 'idempotency-key': 'order-5' },
    });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => post(index % 2 === 0 ? first.url : second.url)));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { runId: string }[];
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array<number>(49).fill(200), 202]);
    expect(new Set(bodies.map(({ runId }) => runId)).size).toBe(1);
    expect(await countRequested()).toBe(before + 1);
    await first.close();
  });

  it('still knows a key after a restart, and when the workflow\'s label has moved meanwhile', async () => {
    await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: DEFINITION });
    const first = await submit(fixture, withKey('order-6', { workflow: 'demo.ordered', input: {} }));
    await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: { ...DEFINITION, title: 'Second version' } });
    await fixture.gateway.close();
    await fixture.startGateway();
    const again = await submit(fixture, withKey('order-6', { workflow: 'demo.ordered', input: {} }));
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ runId: first.body.runId, definition: first.body.definition });
    const fresh = await submit(fixture, { json: { workflow: 'demo.ordered', input: {} } });
    expect(fresh.body.definition).not.toBe(first.body.definition);
  });

  it('gives the run of an earlier request though the same request would be refused today', async () => {
    const put = (json: object) => fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json });
    await put(DEFINITION);
    const first = await submit(fixture, withKey('order-7', { workflow: 'demo.ordered', input: { n: 1 } }));
    await put({ ...DEFINITION, input: { ...DEFINITION.input, required: ['s'] } });
    const again = await submit(fixture, withKey('order-7', { workflow: 'demo.ordered', input: { n: 1 } }));
    expect([again.status, again.body.runId]).toEqual([200, first.body.runId]);
    expect((await submit(fixture, withKey('order-7', { workflow: 'demo.ordered', input: { n: 2 } }))).status).toBe(409);
    expect((await submit(fixture, withKey('order-8', { workflow: 'demo.ordered', input: { n: 1 } }))).status).toBe(422);
  });

  it('lends the run the time of a key that is a UUIDv7, so that it sorts by birth', async () => {
    const { body } = await submit(fixture, withKey('01932c5e-7b6a-7c3d-8e9f-0123456789ab'));
    expect(body.runId).toMatch(/^run_01932c5e-7b6a-8/);
  });
});
