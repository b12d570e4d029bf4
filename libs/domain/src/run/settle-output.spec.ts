import { Simulation, scripted } from '@foldwork/testing';
import type { Json } from '@foldwork/events/contracts';
import { reportedFailure } from './settle-output';

describe('what an answer is taken for', () => {
  it.each<[Json, boolean]>([
    [{ error: 'x' }, true], [{ success: false }, true], [{ success: 'false' }, true], [{ error: { message: 'why' } }, true],
    [{ error: '' }, false], [{ error: null }, false], [{ success: true }, false], [{}, false], ['text', false], [null, false],
  ])('[S3-44] %j is a failure: %s', (raw, isFailure) => expect(reportedFailure(raw) !== undefined).toBe(isFailure));

  const runWith = async (fields: string) => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(`workflow: one\ntasks:\n  - { id: a, type: basic, action: step, retry: { maximumAttempts: 1 }, ${fields} }\n  - { id: b, type: basic, action: step }\n  - { id: c, type: basic, action: step }`);
    const runId = await sim.request('one');
    await sim.settle();
    return { statuses: await sim.statuses(runId), a: await sim.task(runId, 'a') };
  };

  it('[S3-44] such an answer follows onError, an empty error does not', async () => {
    const bad = await runWith("with: { output: { error: x } }, onError: { next: c }, onSuccess: { next: b }");
    expect(bad.statuses).toEqual({ a: 'failed', b: 'skipped', c: 'completed' });
    expect(bad.a.error).toMatchObject({ code: 'ACTION_FAILED', message: 'x' });
    expect((await runWith("with: { output: { error: '' } }, onError: { next: c }, onSuccess: { next: b }")).statuses).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
  });

  it('[S3-45] with outputs the result has exactly the mapped keys; an error in them fails the task', async () => {
    expect((await runWith("with: { output: { n: 2, rest: 1 } }, outputs: { twice: '${ output.n * 2 }' }")).a.output).toEqual({ twice: 4 });
    expect((await runWith("with: { output: { n: 2 } }, outputs: { twice: '${ output.nothing * 2 }' }")).a).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
  });
});
