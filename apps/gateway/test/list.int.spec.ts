import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
const ids: string[] = [];
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  for (let index = 0; index < 25; index += 1) {
    const workflow = index % 5 === 0 ? 'demo.fifth' : 'demo.ordered';
    ids.unshift((await submit(fixture, { json: { definition: { ...DEFINITION, workflow }, input: { s: `item ${index}` } } })).body.runId);
  }
  await fixture.project();
});
afterAll(() => fixture.close());

const list = async (query: string) => (await fixture.call('GET', `/orchestrator/runs${query}`, { key: fixture.keys.viewer })).body;
const idsOf = (page: { runs: { runId: string }[] }): string[] => page.runs.map(({ runId }) => runId);

describe('GET /orchestrator/runs', () => {
  it('lists newest first, twenty at a time, and goes on by cursor without gap or double', async () => {
    const first = await list('');
    expect(idsOf(first)).toEqual(ids.slice(0, 20));
    const second = await list(`?cursor=${first.nextCursor}`);
    expect(idsOf(second)).toEqual(ids.slice(20));
    expect(second.nextCursor).toBeNull();
  });

  it('takes limit and offset', async () => {
    expect(idsOf(await list('?limit=3&offset=4'))).toEqual(ids.slice(4, 7));
    expect(idsOf(await list('?limit=100'))).toEqual(ids);
  });

  it('filters by status, workflow, text and time', async () => {
    expect((await list('?status=pending&limit=100')).runs).toHaveLength(25);
    expect((await list('?status=failed')).runs).toEqual([]);
    expect((await list('?workflow=demo.fifth')).runs).toHaveLength(5);
    expect(idsOf(await list('?search=ITEM%2017'))).toEqual([ids[7]]);
    expect(idsOf(await list(`?search=${ids[3]}`))).toEqual([ids[3]]);
    expect((await list('?search=%25')).runs).toEqual([]);
    expect((await list(`?to=2020-01-01T00:00:00Z`)).runs).toEqual([]);
    expect((await list(`?from=2020-01-01T00:00:00Z&limit=100`)).runs).toHaveLength(25);
  });

  it('gives the same summary as the run itself', async () => {
    const [listed] = (await list('?limit=1')).runs;
    const { body } = await fixture.call('GET', `/orchestrator/runs/${listed.runId}`);
    expect(body).toMatchObject(listed);
  });
});
