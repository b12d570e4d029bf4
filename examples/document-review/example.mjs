import assert from 'node:assert/strict';
import { startAgent } from './agent.mjs';

const WORKFLOW = 'documents.review';

export default {
  title: 'Document review: an agent decides, calls back, forgets to, or is not sure; then a person decides.',
  workflows: ['workflow.yml'],
  actions: ['actions.mjs'],
  startServices: async () => {
    const agent = await startAgent();
    return { env: { REVIEW_AGENT_URL: agent.url }, close: agent.close, agent };
  },
  play: async ({ api, services: { agent }, say }) => {
    // the agent calls back by REST; it need not know which run waits, the document's id is enough
    agent.onAnswer(({ documentId, verdict, reviewId }) => api.signal({ signal: 'review.finished', signalId: reviewId, correlationId: documentId, payload: { verdict } }));

    const fine = await api.start(WORKFLOW, { documentId: 'plan', text: 'a fine plan' }, 'plan');
    const awful = await api.start(WORKFLOW, { documentId: 'poem', text: 'an awful poem' }, 'poem');
    const odd = await api.start(WORKFLOW, { documentId: 'essay', text: 'hm' }, 'essay');
    const lost = await api.start(WORKFLOW, { documentId: 'letter', text: 'lost in the post', patience: '400ms' }, 'letter');
    const held = await api.start(WORKFLOW, { documentId: 'held-contract', text: 'a fine contract' }, 'contract');

    assert.deepEqual((await api.ended(fine)).output, { archived: true });
    assert.deepEqual((await api.ended(awful)).output, { archived: false });

    const asked = await api.waiting(odd, 'person');
    say(`  the agent is not sure about the essay; Foldwork says: ${asked.waitingFor}`);
    await api.signal({ signal: 'review.decided', payload: { decision: 'perhaps' } , correlationId: 'essay' }, odd); // no decision: the wait goes on
    await api.signal({ signal: 'review.decided', payload: { decision: 'reject' }, correlationId: 'essay' }, odd);
    assert.deepEqual((await api.ended(odd)).output, { archived: false });

    await api.waiting(lost, 'person'); // the agent's time ran out
    await api.signal({ signal: 'review.decided', payload: { decision: 'accept' }, correlationId: 'letter' });
    const found = await api.ended(lost);
    assert.deepEqual(found.output, { archived: true });
    assert.equal(found.tasks.find(({ path }) => path === 'verdict').error.code, 'WAIT_TIMEOUT');

    const escalated = await api.ended(held);
    assert.equal(escalated.status, 'escalated');
    say(`  the contract needs a person; Foldwork says: ${escalated.waitingFor}`);
    await api.resolve(held, 'archive', { as: 'completed', output: { archived: 'held-contract', by: 'hand' }, reason: 'filed in the legal safe' });
    const resolved = await api.until(held, 'to succeed', ({ status }) => status === 'succeeded');
    assert.deepEqual(resolved.output, { archived: true });

    assert.deepEqual(agent.archived.toSorted(), ['letter', 'plan']);
    assert.equal(agent.reviews(), 5, 'one review per document');
  },
};
