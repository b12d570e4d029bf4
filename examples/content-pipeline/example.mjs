import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const runOf = async (api, workflow, isIt) => {
  for (let tries = 0; tries < 600; tries += 1) {
    for (const runId of await api.runsOf(workflow)) if (!api.started.has(runId) && isIt(await api.detail(runId))) return runId;
    await sleep(50);
  }
  throw new Error(`no run of ${workflow} began`);
};

export default {
  title: 'Content pipeline: a signal starts it, branches and batches run, an editor lets harsh words pass, subscribers hear of it.',
  workflows: ['workflow.yml', 'subscriber.workflow.yml'],
  actions: ['actions.mjs'],
  play: async ({ api }) => {
    const subscribers = [await api.start('content.subscriber', {}, 'reader 1'), await api.start('content.subscriber', {}, 'reader 2')];
    for (const runId of subscribers) await api.waiting(runId, 'next');

    await api.signal({ signal: 'article.submitted', payload: { articleId: 'a1' } }); // no text: ignored
    await api.signal({ signal: 'article.submitted', signalId: 'submission-1', payload: { articleId: 'a1', text: 'only an idiot would stop reading here', formats: ['html', 'fax', 'pdf', 'epub'] } });
    const article = await runOf(api, 'content.pipeline', () => true);
    api.started.set(article, 'article');

    await api.waiting(article, 'editor');
    await api.signal({ signal: 'article.released', correlationId: 'another', payload: {} }); // not for this one
    await api.signal({ signal: 'article.released', correlationId: 'a1', payload: {} });
    const { status, output, tasks } = await api.ended(article);
    assert.equal(status, 'succeeded');
    assert.deepEqual(output, {
      report: {
        words: 7, harsh: true, summary: 'only an idiot would …',
        files: [{ file: 'a1.html', bytes: 700 }, { file: 'a1.pdf', bytes: 600 }, { file: 'a1.epub', bytes: 700 }], bytes: 2000,
      },
      heardBy: 2,
      released: true,
    });
    assert.equal(tasks.filter(({ path }) => path.startsWith('renditions[')).length, 3, 'the fax is left out');
    for (const runId of subscribers) assert.deepEqual((await api.ended(runId)).output, { articleId: 'a1' });

    const kind = await api.ended(await api.start('content.pipeline', { articleId: 'a2', text: 'kind words', formats: [] }, 'kind article'));
    assert.deepEqual([kind.status, kind.output.released, kind.output.report.files], ['succeeded', false, []]);
    assert.equal((await api.runsOf('content.pipeline')).length, 2, 'the submission without text started nothing');
  },
};
