import type { RunAnswer } from './harness/api';
import { task, workflow } from './harness/definitions';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';

const SERVICES = ['gateway', 'planner', 'executor', 'auditor'];
const NAME = 'upgrade';
const PATH = `/orchestrator/workflows/${NAME}`;

let system: System;
throughout({ onceTasks: [] }, (started) => (system = started));

const publish = async (second: string, labels: string): Promise<string> => {
  const definition = workflow(NAME, [task('hold', { gate: 'hold' }), task(second)], { output: `\${ tasks.${second}.output.task }` });
  return ((await system.api.call('PUT', `${PATH}?labels=${labels}`, definition)).body as { hash: string }).hash;
};
const start = async (reference: string): Promise<RunAnswer> => (await system.api.call('POST', '/orchestrator/runs', { workflow: reference, input: {} })).body as RunAnswer;

describe('a new definition under running work', () => {
  it('a run that began before it finishes by its own, over a restart of all services; those after it follow the label', async () => {
    const first = await publish('old', 'live,1.0.0');
    const before = await start(NAME);
    await system.world.when(() => system.world.callsOf(before.runId).length === 1);

    const second = await publish('new', 'live,2.0.0');
    expect(second).not.toBe(first);
    await system.kill(...SERVICES);
    await system.launchAll(SERVICES);
    const after = await start(NAME);
    const pinned = await start(`${NAME}@1.0.0`);
    system.world.openGate('hold');

    const runs = [before, after, pinned].map(({ runId }) => runId);
    const ended = await Promise.all(runs.map((run) => system.api.succeeded(run)));
    expect(ended.map(({ output, definition }) => [output, definition])).toEqual([['old', first], ['new', second], ['old', first]]);
    expect(runs.map((run) => system.world.callsOf(run).map((call) => call.task).filter((called) => called !== 'hold'))).toEqual([['old'], ['new'], ['old']]);
  });

  it('a label that is moved back brings the old definition back for new runs', async () => {
    const { hash } = (await system.api.call('GET', `${PATH}@1.0.0`)).body as { hash: string };
    expect(await publish('old', 'live')).toBe(hash);
    const { runId, definition } = await start(NAME);
    expect(definition).toBe(hash);
    expect((await system.api.succeeded(runId)).output).toBe('old');
  });
});
