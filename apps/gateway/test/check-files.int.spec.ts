import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiles } from '../src/workflows/check-files';
import { DefinitionCheck } from '../src/workflows/definition-check';
import { GatewayFixture } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

const WRONG = `workflow: shop.publish
tasks:
  - id: one
    type: basci
    action: core.log
  - id: two
    type: basic
    action: core.log
    with: { n: '\${ tasks.three.output }' }
    timeout: soon
`;

describe('the check of files from the command line', () => {
  it('gives the list that the gateway gives, with line and column, and says no', async () => {
    const { body } = await fixture.call('POST', '/orchestrator/workflows/check', { raw: WRONG, headers: { 'content-type': 'application/yaml' } });
    const asJson = await checkFiles(new DefinitionCheck(), [{ path: 'shop.yml', text: WRONG }], true);
    expect(asJson.areValid).toBe(false);
    expect(JSON.parse(asJson.output).diagnostics).toEqual(body.diagnostics);
    expect(body.diagnostics.length).toBeGreaterThanOrEqual(3);

    const { output } = await checkFiles(new DefinitionCheck(), [{ path: 'shop.yml', text: WRONG }], false);
    for (const { line, column, code } of body.diagnostics) expect(output).toContain(`shop.yml:${line}:${column}: error ${code}: `);
    expect(output).toContain('shop.yml:4:');
    expect(output.trim().split('\n').at(-1)).toBe('shop.yml: not valid');
  });

  it('says yes to the examples, with the hash that publishing gives', async () => {
    const path = join(__dirname, '../../../examples/marketplace-publish/collection.workflow.yml');
    const text = readFileSync(path, 'utf8');
    const { body } = await fixture.call('PUT', '/orchestrator/workflows/marketplace.publish-all', { raw: text, headers: { 'content-type': 'application/yaml' } });
    const { output, areValid } = await checkFiles(new DefinitionCheck(), [{ path, text }], false);
    expect(areValid).toBe(true);
    expect(output).toContain(`${path}: valid, ${body.hash}`);
  });
});
