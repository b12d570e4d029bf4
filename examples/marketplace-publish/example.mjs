import assert from 'node:assert/strict';
import { startMarketplace } from './marketplace.mjs';

export default {
  title: 'Marketplace: images are uploaded one by one, each exactly once although one answer is lost; or everything is undone.',
  workflows: ['collection.workflow.yml'],
  actions: ['actions.mjs'],
  startServices: async () => {
    const marketplace = await startMarketplace({ dropAnswersTo: [2], refuse: ['forbidden.jpg'], uploadMs: 60 });
    return { env: { MARKETPLACE_URL: marketplace.url }, close: marketplace.close, marketplace };
  },
  play: async ({ api, services: { marketplace } }) => {
    const images = ['front.jpg', 'side.jpg', 'back.jpg'];
    const good = await api.ended(await api.start('marketplace.publish-all', { title: 'Desk lamp', images }, 'lamp'));
    assert.deepEqual([good.status, good.error], ['succeeded', undefined]);
    const [draft] = marketplace.drafts();
    assert.deepEqual(draft.images.map(({ image }) => image), images, 'each image once, in order');
    assert.equal(draft.publications, 1);
    assert.deepEqual(good.output, { listingId: draft.listingId, images: 3 });

    const undone = [];
    marketplace.on(({ kind, image }) => kind === 'deleted' && undone.push(image));
    const bad = await api.ended(await api.start('marketplace.publish-all', { title: 'Odd chair', images: ['left.jpg', 'right.jpg', 'forbidden.jpg'] }, 'chair'));
    assert.equal(bad.status, 'rolled_back', bad.error.message);
    assert.equal(bad.error.code, 'child_task_failure');
    assert.deepEqual(undone, ['right.jpg', 'left.jpg', 'draft-2'], 'last first');
    assert.deepEqual(marketplace.drafts().map(({ title }) => title), ['Desk lamp'], 'nothing of the second listing is left');
  },
};
