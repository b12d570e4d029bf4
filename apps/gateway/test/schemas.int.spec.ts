import { parseDefinition } from '@foldwork/domain';
import { Ajv } from 'ajv';
import { GatewayFixture } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

describe('GET /schemas/workflow.v1.schema.json', () => {
  it('gives editors, who have no key, the schema of workflow files', async () => {
    const { status, headers, body } = await fixture.call('GET', '/schemas/workflow.v1.schema.json', { key: null });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    const isValid = new Ajv({ strict: false }).compile(body);
    expect(isValid({ workflow: 'a', tasks: [{ id: 'one', type: 'basic', action: 'core.log' }] })).toBe(true);
    expect(isValid({ workflow: 'a', tasks: [{ id: 'one', type: 'basci', action: 'core.log' }] })).toBe(false);
  });

  it('refuses a field that the check of definitions refuses', async () => {
    const { body } = await fixture.call('GET', '/schemas/workflow.v1.schema.json');
    const wrong = { workflow: 'a', tasks: [{ id: 'one', type: 'basic', action: 'core.log', strategy: 'race' }] };
    expect(new Ajv({ strict: false }).compile(body)(wrong)).toBe(false);
    expect(parseDefinition(JSON.stringify(wrong), { format: 'json' }).definition).toBeUndefined();
  });
});
