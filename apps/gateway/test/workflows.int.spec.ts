import { DEFINITION, GatewayFixture } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

describe('a workflow published at another gateway', () => {
  it('is known here at once, though nobody knew it a moment ago; so is a new label', async () => {
    const other = await fixture.startGatewayBeside();
    const headers = { authorization: `Bearer ${fixture.keys.operator}`, 'content-type': 'application/json' };
    const submitThere = async (workflow: string): Promise<number> =>
      (await fetch(`${other.url}/orchestrator/runs`, { method: 'POST', body: JSON.stringify({ workflow, input: {} }), headers })).status;
    for (const label of ['live', '1.0.0']) {
      expect(await submitThere(`late@${label}`)).toBe(400);
      expect((await fixture.call('PUT', `/orchestrator/workflows/late?labels=${label}`, { json: { ...DEFINITION, workflow: 'late' } })).status).toBe(201);
      expect(await submitThere(`late@${label}`)).toBe(202);
    }
    await other.close();
  });
});
