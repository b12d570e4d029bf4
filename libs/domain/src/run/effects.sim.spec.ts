import { Simulation, scripted, UNKIND, type SimulatedAction } from '@foldwork/testing';

const UPLOAD = (fields = ''): string => `
workflow: uploads
tasks:
  - { id: upload, type: basic, action: upload, effect: once, verify: { action: find, found: result.found }, retry: { maximumAttempts: 2 }${fields} }
  - { id: after, type: basic, action: step }
`;
const simulation = (upload: SimulatedAction, options: object = {}): Simulation => new Simulation({ actions: { upload, step: scripted, find: () => ({ output: null }) }, ...options });

describe('an effect that may happen only once', () => {
  it('[S0-10] is not repeated when verify finds it: the handler is not called and the task ends completed', async () => {
    const sim = simulation(() => ({ error: { code: 'CONNECTION_LOST', message: 'no answer' }, effect: true }));
    sim.define(UPLOAD());
    const runId = await sim.request('uploads');
    await sim.settle();
    expect([sim.world.callsOf('upload'), sim.world.effectsOf(runId, 'upload')]).toEqual([1, 1]);
    expect(await sim.task(runId, 'upload')).toMatchObject({ status: 'completed', attempt: 2, output: { verified: true } });
  });

  it('is tried again when verify does not find it', async () => {
    const sim = simulation(({ call }) => (call === 1 ? { error: { code: 'CONNECTION_LOST', message: 'never arrived' } } : { output: {}, effect: true }));
    sim.define(UPLOAD());
    const runId = await sim.request('uploads');
    await sim.settle();
    expect([(await sim.run(runId)).status, sim.world.effectsOf(runId, 'upload')]).toEqual(['succeeded', 1]);
  });

  it.each(['CONNECTION_LOST', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'HTTP_BODY_TOO_LARGE', 'TimeoutError', 'AbortError', 'ABORT_ERR', 'UND_ERR_ABORTED', 'RESULT_REFUSED', 'EXECUTOR_FAULT'])(
    'is asked for once more even when the attempts are used up: after %s it may have taken place', async (code) => {
      const sim = simulation(({ call }) => ({ error: { code, message: 'no answer' }, effect: call === 2 }));
      sim.define(UPLOAD());
      const runId = await sim.request('uploads');
      await sim.settle();
      expect([(await sim.task(runId, 'upload')).attempt, (await sim.run(runId)).status, sim.world.effectsOf(runId, 'upload')]).toEqual([3, 'succeeded', 1]);
    });

  it.each([[500, 3, 'succeeded'], [504, 3, 'succeeded'], [409, 2, 'failed']])('an answer with status %i: %i attempts, %s', async (status, attempts, end) => {
    const sim = simulation(({ call }) => ({ error: { code: 'HTTP_STATUS', message: 'answered', details: { status, body: '' } }, effect: call === 2 }));
    sim.define(UPLOAD());
    const runId = await sim.request('uploads');
    await sim.settle();
    expect([(await sim.task(runId, 'upload')).attempt, (await sim.run(runId)).status]).toEqual([attempts, end]);
  });

  it.each([['CONNECTION_LOST', true], ['ATTEMPT_TIMEOUT', true], ['ECONNREFUSED', false]])('is given time to arrive before anybody asks, where it may have been sent: %s, %s', async (code, waits) => {
    const sim = simulation(({ call }) => (call === 1 ? { error: { code, message: 'no answer' } } : { output: {}, effect: true }));
    sim.define(UPLOAD().replace('maximumAttempts: 2', 'maximumAttempts: 2, initialInterval: 0'));
    const runId = await sim.request('uploads');
    await sim.settle();
    const [, failedAt = 0, againAt = 0] = (await sim.log.readRuns([runId])).filter(({ task, data }) => task === 'upload' && /"transition":"(fail|begin|retry)"/.test(data)).map(({ recordedAt }) => recordedAt);
    expect([(await sim.run(runId)).status, againAt - failedAt >= 2_000]).toEqual(['succeeded', waits]);
  });

  it.each(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT'])('is not asked for when it cannot have taken place: %s', async (code) => {
    const sim = simulation(() => ({ error: { code, message: 'nobody there' } }));
    sim.define(UPLOAD());
    const runId = await sim.request('uploads');
    await sim.settle();
    expect([(await sim.task(runId, 'upload')).attempt, (await sim.run(runId)).status]).toEqual([2, 'failed']);
  });

  it('happens once whatever dies and is doubled', async () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const sim = simulation(() => ({ output: {}, effect: true, ms: 200 }), { seed, faults: { ...UNKIND, crash: 0.1 } });
      sim.define(UPLOAD());
      const runId = await sim.request('uploads');
      await sim.settle();
      expect([seed, (await sim.run(runId)).status, sim.world.effectsOf(runId, 'upload')]).toEqual([seed, 'succeeded', 1]);
    }
  });

  it('[S0-06] a failure is a result: status, message and time are kept and nothing is thrown', async () => {
    const sim = simulation(() => ({ error: { code: 'ACTION_FAILED', message: 'Network error' } }));
    sim.define(UPLOAD().replace('maximumAttempts: 2', 'maximumAttempts: 1'));
    const runId = await sim.request('uploads');
    await sim.settle();
    expect(await sim.task(runId, 'upload')).toMatchObject({ status: 'failed', error: { message: 'Network error' }, endedAt: expect.any(Number) });
  });

  it('[S3-46] of two results of one attempt one is recorded, the other changes nothing', async () => {
    const sim = simulation(() => ({ output: { n: 1 }, ms: 60_000, effect: true }));
    sim.define(UPLOAD());
    const runId = await sim.request('uploads');
    await sim.pass(1_000);
    const { version } = await sim.task(runId, 'upload');
    const [holder] = (await sim.events(runId)).filter(({ task }) => task === 'upload');
    const outcome = (n: number) => ({ ...holder!, version: version + 1, data: JSON.stringify({ transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: sim.now, output: { n } }), decide: true });
    const results = await Promise.all([sim.log.append([outcome(1)]), sim.log.append([outcome(2)])]);
    expect(results.map(({ status }) => status)).toEqual(['ok', 'conflict']);
    expect((await sim.task(runId, 'upload')).output).toEqual({ n: 1 });
  });
});
