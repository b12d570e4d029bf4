import { taskTypes, type TaskTypeModule } from '@foldwork/domain';
import { openEvent, parseRunId } from '@foldwork/events';
import { GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
let before: TaskTypeModule;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  const first = taskTypes.orchestratorFor('collection');
  before = { definition: taskTypes.definitionOf('collection'), ...taskTypes.traitsOf('collection'), orchestrators: [first] };
  taskTypes.register({ ...before, orchestrators: [first, { ...first, version: 2 }] });
});
afterAll(async () => {
  taskTypes.register(before);
  await fixture.close();
});

const choose = (version: number, key = fixture.keys.admin) => fixture.call('PUT', '/orchestrator/task-types/collection', { key, json: { version } });
const chosenBy = async (key = fixture.keys.operator) => {
  const { runId } = (await submit(fixture, { key })).body;
  const [first] = await fixture.log.readRuns([parseRunId(runId) ?? (() => { throw new Error('no run'); })()]);
  const opened = first && openEvent(first);
  return opened?.type === 'RunRequested' ? opened.data.orchestrators : 'no request';
};

describe('versions of task types', () => {
  it('new runs begin with the chosen version, in its namespace only; choosing back works while everything runs', async () => {
    expect(await chosenBy()).toBeUndefined();
    expect((await choose(2)).body).toEqual({ type: 'collection', versions: [1, 2], chosen: 2 });
    expect(await chosenBy()).toEqual({ collection: 2 });
    expect(await chosenBy(fixture.otherKeys.operator)).toBeUndefined();
    expect((await fixture.call('GET', '/orchestrator/task-types')).body.taskTypes).toContainEqual({ type: 'collection', versions: [1, 2], chosen: 2 });
    await choose(1);
    expect(await chosenBy()).toBeUndefined();
  });

  it('a version that is gone after going back to an earlier release keeps nobody from starting runs', async () => {
    await choose(2);
    const both = [1, 2].map((version) => taskTypes.orchestratorFor('collection', version));
    taskTypes.register(before);
    expect(await chosenBy()).toBeUndefined();
    taskTypes.register({ ...before, orchestrators: both });
    await choose(1);
  });

  it('refuses a version that there is not, a type that there is not, and whoever is no admin', async () => {
    expect((await choose(3)).status).toBe(422);
    expect((await fixture.call('PUT', '/orchestrator/task-types/nothing', { key: fixture.keys.admin, json: { version: 1 } })).status).toBe(404);
    expect((await choose(2, fixture.keys.operator)).status).toBe(403);
  });
});
