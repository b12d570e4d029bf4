import { Simulation, scripted, type SimulatedAction } from '@foldwork/testing';
import { parseJson, type ExactNumber, type Json } from '@foldwork/events/contracts';

const EACH = (fields: string, each = "{ id: one, type: basic, action: step, retry: { maximumAttempts: 1 } }"): string => `
workflow: items
tasks:
  - id: all
    type: collection
    items: input.items
    each: [ ${each} ]
${fields.replace(/^/gm, '    ')}
`;

const runWith = async (yaml: string, items: Json, step: SimulatedAction = scripted) => {
  const sim = new Simulation({ actions: { step } });
  sim.define(yaml);
  const runId = await sim.request('items', { input: { items } });
  await sim.settle();
  return { sim, runId, run: await sim.run(runId), all: await sim.task(runId, 'all'), statuses: await sim.statuses(runId) };
};

describe('collection', () => {
  it('[S3-33] a child sees parent < template < item, index and the names given; no child sees what another did', async () => {
    const { sim } = await runWith(
      EACH("itemVar: image\nindexVar: n\nwith: { a: parent, b: parent, image: parent, path: '${ image.name + \"!\" }' }", "{ id: one, type: basic, action: step, with: { b: template, c: '${ n }' } }"),
      [{ name: 'x' }, { name: 'y' }],
      ({ input }) => {
        (input as { image: { name: string } }).image.name = 'changed';
        return { output: input };
      },
    );
    expect(sim.world.calls.map(({ input }) => input).sort((a, b) => Number((a as { n: number }).n) - Number((b as { n: number }).n))).toEqual([
      { a: 'parent', b: 'template', c: 0, image: { name: 'changed' }, n: 0, path: 'x!' },
      { a: 'parent', b: 'template', c: 1, image: { name: 'changed' }, n: 1, path: 'y!' },
    ]);
  });

  it('[S3-34] filtered items are counted, the others renumbered; nothing kept ends well', async () => {
    const { all, statuses } = await runWith(EACH("filter: 'item % 3 != 0'"), [1, 2, 3, 4, 5, 6]);
    expect(all.output).toMatchObject({ itemCount: 4, skippedCount: 2, progress: { total: 4 } });
    expect(all.children?.plan).toMatchObject({ childCount: 4, items: [1, 2, 4, 5] });
    expect(Object.keys(statuses)).toEqual(['all', 'all[0]', 'all[1]', 'all[2]', 'all[3]']);
    const empty = await runWith(EACH("filter: 'false'"), [1, 2]);
    expect(empty.all).toMatchObject({ status: 'completed', output: { outputs: {}, results: [], itemCount: 0, skippedCount: 2 } });
    expect(Object.keys(empty.statuses)).toEqual(['all']);
  });

  it('[S3-35] sequential runs in index order, 10 after 9 and not after 1', async () => {
    const { sim } = await runWith(EACH('mode: sequential'), Array.from({ length: 12 }, (_, n) => n));
    expect(sim.world.calls.map(({ task }) => task)).toEqual(Array.from({ length: 12 }, (_, n) => `all[${n}]`));
  });

  it.each([
    ['fail_fast', [0, 1, 2], 'failed'],
    ['wait_all', [0, 1, 2, 3, 4], 'failed'],
    ['best_effort', [0, 1, 2, 3, 4], 'completed'],
  ])('[S3-36] sequential %s runs %j when item 2 fails', async (strategy, ran, status) => {
    const { sim, all } = await runWith(EACH(`mode: sequential\nstrategy: ${strategy}`, "{ id: one, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '${ item == 2 ? 1 : 0 }' } }"), [0, 1, 2, 3, 4]);
    expect([sim.world.calls.map(({ task }) => task), all.status]).toEqual([ran.map((n) => `all[${n}]`), status]);
  });
  it('[S3-36] sequential race stops at the first success', async () => {
    const { sim, all } = await runWith(EACH('mode: sequential\nstrategy: race', "{ id: one, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: '${ item == 0 ? 1 : 0 }' } }"), [0, 1, 2]);
    expect([sim.world.calls.map(({ task }) => task), all.status]).toEqual([['all[0]', 'all[1]'], 'completed']);
  });

  it('[S3-37] groups of two: the next begins when the one before has ended', async () => {
    const spans: { n: number; from: number; to: number }[] = [];
    const { all } = await runWith(EACH('batch: 2'), [50, 10, 20, 90, 5], ({ input, now }) => {
      const { item, index } = input as { item: number; index: number };
      spans.push({ n: index, from: now, to: now + item });
      return { output: {}, ms: item };
    });
    const [first, second, third] = [[0, 1], [2, 3], [4]].map((group) => spans.filter(({ n }) => group.includes(n)));
    const endOf = (group: typeof spans = []) => Math.max(...group.map(({ to }) => to));
    const startOf = (group: typeof spans = []) => Math.min(...group.map(({ from }) => from));
    expect(startOf(second)).toBeGreaterThanOrEqual(endOf(first));
    expect(startOf(third)).toBeGreaterThanOrEqual(endOf(second));
    expect(all.output).toMatchObject({ progress: { total: 5, processed: 5 } });
  });

  it('[S3-38] exact numbers reach the child unchanged', async () => {
    const { sim } = await runWith(EACH(''), parseJson('[9007199254740993, 0.12345678901234567891]'));
    expect(sim.world.calls.map(({ input }) => String((input as { item: ExactNumber }).item)).sort()).toEqual(['0.12345678901234567891', '9007199254740993']);
  });

  it('[S3-32] a filter that cannot be evaluated fails the task', async () => {
    expect((await runWith(EACH("filter: 'item.nothing'"), [{}])).all).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
    const kept = async (value: string): Promise<number> => (await runWith(EACH(`filter: 'item'`), [value])).all.children?.plan.childCount ?? 0;
    expect(await Promise.all(['true', ' YES ', '1', 'on', 'whatever'].map(kept))).toEqual([1, 1, 1, 1, 1]);
    expect(await Promise.all(['false', ' NO ', '0', 'Off', '', '  '].map(kept))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('several tasks per item run one after another, with the item in view', async () => {
    const { sim, run, all } = await runWith(EACH('', "{ id: a, type: basic, action: step, with: { output: '${ item * 10 }' } }, { id: b, type: basic, action: step, with: { output: '${ tasks.a.output + index }' } }"), [1, 2]);
    expect(run.status).toBe('succeeded');
    expect(all.output).toMatchObject({ results: [{ outputs: { a: 10, b: 10 } }, { outputs: { a: 20, b: 21 } }] });
    expect(sim.world.calls).toHaveLength(4);
  });
});
