import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { faultsAfterwards } from './harness/log-account';
import { WORKSPACE } from './harness/service';
import { System } from './harness/system';
import { until } from './harness/until';

interface Marketplace {
  readonly url: string;
  readonly drafts: () => { readonly images: { readonly image: string }[]; readonly publications?: number; readonly listingId?: string }[];
  readonly close: () => Promise<void>;
}

const EXAMPLE = join(WORKSPACE, 'examples/marketplace-publish');

let system: System;
let marketplace: Marketplace;
beforeAll(async () => {
  const { startMarketplace } = (await import(pathToFileURL(join(EXAMPLE, 'marketplace.mjs')).href)) as { startMarketplace: (options: object) => Promise<Marketplace> };
  marketplace = await startMarketplace({ dropAnswersTo: [2, 5], uploadMs: 100 });
  system = await System.start({ env: { FOLDWORK_ACTIONS: join(EXAMPLE, 'actions.mjs'), MARKETPLACE_URL: marketplace.url } });
}, 60_000);
afterAll(async () => {
  try {
    expect(await faultsAfterwards(system)).toEqual([]);
  } finally {
    await system.stop();
    await marketplace.close();
  }
}, 60_000);

const IMAGES = ['front.jpg', 'side.jpg', 'back.jpg'];

describe('the marketplace example, published by name on four processes', () => {
  beforeAll(async () => {
    const published = await fetch(`${system.api.url}/orchestrator/workflows/marketplace.publish`, {
      method: 'PUT', headers: { 'content-type': 'application/yaml' }, body: readFileSync(join(EXAMPLE, 'workflow.yml')),
    });
    expect(published.status).toBe(201);
  });

  it('stores each image once although the answer to an upload is lost', async () => {
    const { body } = await system.api.call('POST', '/orchestrator/runs', { workflow: 'marketplace.publish', input: { title: 'Blue jacket', images: IMAGES } });
    const detail = await system.api.succeeded((body as { runId: string }).runId);
    const [draft] = marketplace.drafts();
    expect(draft?.images.map(({ image }) => image)).toEqual(IMAGES);
    expect(draft?.publications).toBe(1);
    expect(detail.output).toEqual({ listingId: draft?.listingId });
  });

  it('stores each image once although the executor is killed in the middle of an upload', async () => {
    const { body } = await system.api.call('POST', '/orchestrator/runs', { workflow: 'marketplace.publish', input: { title: 'Red jacket', images: IMAGES } });
    const { runId } = body as { runId: string };
    await until('the second upload to be stored', () => marketplace.drafts()[1]?.images.length === 2);
    await system.kill('executor');
    system.launch('executor');
    await system.api.succeeded(runId);
    const draft = marketplace.drafts()[1];
    expect(draft?.images.map(({ image }) => image)).toEqual(IMAGES);
    expect(draft?.publications).toBe(1);
  });
});
