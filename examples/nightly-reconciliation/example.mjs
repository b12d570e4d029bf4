import assert from 'node:assert/strict';
import { startBanks } from './banks.mjs';

const at = (time) => Date.parse(time);

export default {
  title: 'Nightly reconciliation: one run per shop at a time, one child run per account.',
  workflows: ['account.workflow.yml', 'workflow.yml'],
  startServices: async () => {
    const banks = await startBanks();
    return { close: banks.close, banks };
  },
  play: async ({ api, services: { banks } }) => {
    const base = banks.url;
    const monday = await api.start('reconcile.nightly', { shop: 'north', base, accounts: ['giro', 'card'] }, 'north, Monday');
    const tuesday = await api.start('reconcile.nightly', { shop: 'north', base, accounts: ['giro', 'cash'] }, 'north, Tuesday');
    const other = await api.start('reconcile.nightly', { shop: 'south', base, accounts: ['cash', 'gold'] }, 'south');

    const first = await api.ended(monday);
    assert.equal(first.status, 'succeeded', first.error?.message);
    assert.deepEqual(first.output, { compared: 2, difference: -250, unread: 0 });
    const second = await api.ended(tuesday);
    assert.deepEqual(second.output, { compared: 2, difference: 0, unread: 0 });
    assert.equal(second.tasks.find(({ path }) => path === 'report').status, 'skipped');
    assert.ok(at(second.startedAt) >= at(first.finishedAt), 'the second night of a shop begins when the first has ended');

    const third = await api.ended(other);
    assert.deepEqual(third.output, { compared: 1, difference: 0, unread: 1 });
    assert.ok(at(third.startedAt) < at(second.startedAt), 'another shop does not queue');
    assert.equal((await api.runsOf('reconcile.account')).length, 6, 'a run of its own for each account');
    assert.deepEqual(banks.reports.map(({ shop }) => shop).toSorted(), ['north', 'south']);
  },
};
