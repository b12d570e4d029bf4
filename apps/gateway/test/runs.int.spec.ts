import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

describe('POST /orchestrator/runs', () => {
  it('accepts a run with a definition of its own and shows it', async () => {
    const accepted = await submit(fixture);
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({ workflow: 'demo.ordered', status: 'pending', version: 1 });
    expect(accepted.headers.get('location')).toBe(`/orchestrator/runs/${accepted.body.runId}`);
    expect(accepted.body.runId).toMatch(/^run_[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const detail = await fixture.call('GET', accepted.headers.get('location') ?? '', { key: fixture.keys.viewer });
    expect(detail.status).toBe(200);
    expect(detail.headers.get('etag')).toBe('"1"');
    expect(detail.body).toMatchObject({ input: { n: 1, s: 'x' }, plan: [], tasks: [], paused: false });
    expect(detail.body.waitingFor).toMatch(/to be planned/);
  });

  it('starts a published workflow by name and by label', async () => {
    const put = await fixture.call('PUT', '/orchestrator/workflows/demo.ordered?labels=live,1.0.0', { json: DEFINITION });
    expect(put.status).toBe(201);
    for (const workflow of ['demo.ordered', 'demo.ordered@1.0.0']) {
      const accepted = await submit(fixture, { json: { workflow, input: {} } });
      expect(accepted.status).toBe(202);
      expect(accepted.body.definition).toBe(put.body.hash);
    }
  });
});
