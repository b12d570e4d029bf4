import { Simulation, scripted } from '@foldwork/testing';
import { parseDefinition } from '../built-in-language';

const TWO = `
workflow: two
tasks:
  - id: work
    type: basic
    action: step
    with: { failures: '\${ input.failures }', output: { done: true } }
    retry: { maximumAttempts: 3, initialInterval: 1s }
    onSuccess: { next: good }
    onError: { next: bad }
  - { id: good, type: basic, action: step, final: true }
  - { id: bad, type: basic, action: step, with: { why: '\${ tasks.work.error.message }' } }
`;

const runWith = async (failures: number) => {
  const sim = new Simulation({ actions: { step: scripted } });
  sim.define(TWO);
  const runId = await sim.request('two', { input: { failures } });
  await sim.settle();
  return { sim, run: await sim.run(runId), work: await sim.task(runId, 'work'), statuses: await sim.statuses(runId) };
};

describe('basic', () => {
  it('[S3-06] is planned as pending and stays so until an executor takes it', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.missingActions.add('step');
    sim.define(TWO);
    const runId = await sim.request('two', { input: { failures: 0 } });
    await sim.pass(60_000);
    expect(await sim.task(runId, 'work')).toMatchObject({ type: 'basic', status: 'pending', attempt: 0, version: 0 });
  });

  it('[S3-06] keeps what the action answered', async () => {
    const { work, statuses } = await runWith(0);
    expect(work).toMatchObject({ status: 'completed', attempt: 1, output: { done: true } });
    expect(statuses).toEqual({ work: 'completed', good: 'completed', bad: 'skipped' });
  });

  it('[S3-06] is tried again as its policy says when the action throws; then the error transition is taken', async () => {
    const recovered = await runWith(2);
    expect(recovered).toMatchObject({ work: { status: 'completed', attempt: 3 }, statuses: { good: 'completed', bad: 'skipped' } });
    const lost = await runWith(9);
    expect(lost).toMatchObject({ run: { status: 'succeeded' }, work: { status: 'failed', attempt: 3, error: { message: 'failure 3' } }, statuses: { good: 'skipped', bad: 'completed' } });
    expect(lost.sim.world.calls.filter(({ task }) => task === 'work').map(({ now }, _index, [first]) => Math.round((now - (first?.now ?? 0)) / 1_000))).toEqual([0, 1, 3]);
    expect(lost.sim.world.calls.at(-1)).toMatchObject({ task: 'bad', input: { why: 'failure 3' } });
  });

  it('[S3-06] is refused when nobody has registered its action', () => {
    const actions = new Map([['stop', { effect: 'none' as const }]]);
    const { definition, diagnostics } = parseDefinition(TWO, { actions });
    expect(definition).toBeUndefined();
    expect(diagnostics.map(({ code, pointer }) => [code, pointer])).toEqual(['0', '1', '2'].map((index) => ['unknown_action', `/tasks/${index}/action`]));
    expect(parseDefinition(TWO, { actions: new Map([['step', { effect: 'none' as const }]]) }).diagnostics).toEqual([]);
  });
});
