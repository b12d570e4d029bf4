import { checkDefinition, type Definition } from '@foldwork/domain';
import { GatewayFixture } from './gateway-fixture';
import { RunScript } from './run-script';

const DEFINITION = {
  workflow: 'demo.retry',
  tasks: [
    { id: 'validate', type: 'basic', action: 'core.log' },
    { id: 'upload', type: 'basic', action: 'core.fail', retry: { maximumAttempts: 1 }, escalate: ['AMBIGUOUS'] },
    { id: 'save', type: 'basic', action: 'core.log' },
  ],
};
const ERROR = { code: 'NETWORK', message: 'Network error' };

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

/** A run that is planned, has `validate` done and `upload` begun. */
const runningRun = async (): Promise<{ path: string; script: RunScript }> => {
  const { body } = await fixture.call('POST', '/orchestrator/runs', { json: { definition: DEFINITION } });
  const script = new RunScript(fixture, body.runId, DEFINITION as unknown as Definition);
  await script.decide();
  await script.transition('validate', 1, { transition: 'begin', from: 'pending', to: 'in_progress' });
  await script.transition('validate', 2, { transition: 'complete', from: 'in_progress', to: 'completed', output: { ok: true }, starts: { task: 'upload' as never, attempt: 1 } });
  return { path: `/orchestrator/runs/${body.runId}`, script };
};

const failedRun = async (code = ERROR.code) => {
  const run = await runningRun();
  const escalates = code === 'AMBIGUOUS';
  await run.script.transition('upload', 1, {
    transition: escalates ? 'escalate' : 'fail', from: 'in_progress', to: escalates ? 'escalated' : 'failed', error: { ...ERROR, code },
  });
  await run.script.decide();
  return run;
};

describe('run detail', () => {
  it('shows plan, tasks, attempts with times, and who has the task right now', async () => {
    const { path } = await runningRun();
    const { body } = await fixture.call('GET', path);
    expect(body.status).toBe('running');
    expect(body.plan).toEqual([
      { id: 'validate', type: 'basic', stepOrder: 1 }, { id: 'upload', type: 'basic', stepOrder: 2 }, { id: 'save', type: 'basic', stepOrder: 3 },
    ]);
    expect(body.tasks.map((task: { path: string; status: string }) => [task.path, task.status])).toEqual([['validate', 'completed'], ['upload', 'in_progress'], ['save', 'pending']]);
    expect(body.tasks[0]).toMatchObject({ output: { ok: true }, attempts: [{ attempt: 1, status: 'completed', executor: 'worker#1', startedAt: expect.any(String), finishedAt: expect.any(String) }] });
    expect(body.taskCounts).toEqual({ total: 3, active: 1, completed: 1, failed: 0, skipped: 0, canceled: 0 });
    expect(body.waitingFor).toMatch(/^Task upload has been with executor worker since .*Z \(attempt 1\)/);
  });

  it('shows a failed run with its error and when it is retried by itself', async () => {
    const { path } = await failedRun();
    const { body } = await fixture.call('GET', path);
    expect(body).toMatchObject({ status: 'failed', failedTask: 'upload', error: ERROR });
    expect(Date.parse(body.retryAt) - Date.parse(body.finishedAt)).toBe(30_000);
    expect(body.waitingFor).toMatch(/Task upload failed .* retried by itself at/);
  });

  it('shows the run as it was at a version and at a time', async () => {
    const { path } = await failedRun();
    const { body: events } = await fixture.call('GET', `${path}/events`);
    const first = await fixture.call('GET', `${path}?asOf=1`);
    expect(first.body).toMatchObject({ status: 'pending', version: 1, tasks: [] });
    expect(first.headers.get('etag')).toBe('"1"');
    const third = await fixture.call('GET', `${path}?asOf=3`);
    expect(third.body.tasks[0]).toMatchObject({ path: 'validate', status: 'in_progress' });
    const atTheEnd = await fixture.call('GET', `${path}?asOf=${encodeURIComponent(events.events.at(-1).recordedAt)}`);
    expect(atTheEnd.body.status).toBe('failed');
    expect((await fixture.call('GET', `${path}?asOf=2020-01-01T00:00:00Z`)).status).toBe(404);
  });

  it('says which signal a run waits for, since when and until when', async () => {
    const definition = { workflow: 'demo.wait', tasks: [{ id: 'paid', type: 'wait', waitFor: 'payment.received', timeout: '1h' }] };
    const { body: run } = await fixture.call('POST', '/orchestrator/runs', { json: { definition } });
    const checked = checkDefinition(definition).definition;
    if (checked === undefined) throw new Error('the definition is wrong');
    await new RunScript(fixture, run.runId, checked).decide();
    const { body } = await fixture.call('GET', `/orchestrator/runs/${run.runId}`);
    expect(body.tasks[0].status).toBe('waiting');
    expect(body.waitingFor).toMatch(/^Task paid has waited since .*Z for the signal "payment.received", which an operator can send, until .*Z\.$/);
  });

  it('waits for a version that is about to come', async () => {
    const { path, script } = await runningRun();
    const { body: now } = await fixture.call('GET', path);
    const waiting = fixture.call('GET', `${path}?minVersion=${now.version + 1}`);
    await script.transition('upload', 1, { transition: 'complete', from: 'in_progress', to: 'completed' });
    const { body: then } = await waiting;
    expect(then.version).toBe(now.version + 1);
    expect(then.tasks[1].status).toBe('completed');
  });
});

describe('commands', () => {
  it('retries a failed run at the failing step and keeps what is done', async () => {
    const { path } = await failedRun();
    const before = (await fixture.call('GET', path)).body;
    const retried = await fixture.call('POST', `${path}/retry`, { json: { reason: 'network is back' } });
    expect(retried.status).toBe(202);
    expect(retried.body).toMatchObject({ status: 'running', attempt: 2 });
    expect(retried.headers.get('etag')).toBe(`"${retried.body.version}"`);
    const { body } = await fixture.call('GET', `${path}?minVersion=${retried.body.version}`);
    expect(body.tasks.map((task: { status: string }) => task.status)).toEqual(['completed', 'pending', 'pending']);
    expect(body.tasks[0]).toEqual(before.tasks[0]);
    const { body: log } = await fixture.call('GET', `${path}/events`);
    const event = log.events.find((each: { type: string }) => each.type === 'RunRetried');
    expect(event).toMatchObject({ data: { automatic: false, reason: 'network is back' }, metadata: { actor: 'key:operator-of-default', reason: 'network is back', requestId: expect.any(String) } });
  });

  it('refuses a step that the plan does not have and a second retry', async () => {
    const { path } = await failedRun();
    expect(await fixture.call('POST', `${path}/retry`, { json: { resumeFromStep: 'nothing' } })).toMatchObject({ status: 400, body: { error: 'invalid_resume_step' } });
    expect((await fixture.call('POST', `${path}/retry`, { json: { resume_from_step: 'upload' } })).status).toBe(202);
    expect(await fixture.call('POST', `${path}/retry`)).toMatchObject({ status: 409, body: { error: 'retry_not_allowed' } });
  });

  it('carries out one of ten simultaneous retries', async () => {
    const { path } = await failedRun();
    const answers = await Promise.all(Array.from({ length: 10 }, () => fixture.call('POST', `${path}/retry`)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array<number>(9).fill(409)]);
  });

  it('pauses, resumes and cancels', async () => {
    const { path, script } = await runningRun();
    expect((await fixture.call('POST', `${path}/pause`)).status).toBe(202);
    expect((await fixture.call('GET', path)).body).toMatchObject({ paused: true, waitingFor: expect.stringMatching(/paused/) });
    expect(await fixture.call('POST', `${path}/pause`)).toMatchObject({ status: 409, body: { error: 'pause_not_allowed' } });
    expect((await fixture.call('POST', `${path}/resume`)).status).toBe(202);
    expect((await fixture.call('POST', `${path}/cancel`, { json: { reason: 'wrong shop' } })).status).toBe(202);
    expect((await fixture.call('GET', path)).body.cancelRequested).toBe(true);
    await script.decide();
    expect((await fixture.call('GET', path)).body).toMatchObject({ status: 'canceled', waitingFor: null });
    expect(await fixture.call('POST', `${path}/cancel`)).toMatchObject({ status: 409, body: { error: 'cancel_not_allowed' } });
  });

  it('lets an approver decide about an escalated task', async () => {
    const { path } = await failedRun('AMBIGUOUS');
    const { body } = await fixture.call('GET', path);
    expect(body.status).toBe('escalated');
    expect(body.waitingFor).toMatch(/an approver can resolve it/);
    const json = { as: 'completed', output: { found: true }, reason: 'seen in the shop' };
    expect((await fixture.call('POST', `${path}/tasks/validate/resolve`, { json, key: fixture.keys.approver })).body.error).toBe('task_not_escalated');
    expect((await fixture.call('POST', `${path}/tasks/none%2Fat%2Fall/resolve`, { json, key: fixture.keys.approver })).body.error).toBe('task_not_found');
    const resolved = await fixture.call('POST', `${path}/tasks/upload/resolve`, { json, key: fixture.keys.approver });
    expect(resolved.status).toBe(202);
    const after = (await fixture.call('GET', path)).body;
    expect(after.tasks[1]).toMatchObject({ status: 'completed', output: { found: true } });
  });
});

describe('signals', () => {
  it('takes each signal id once', async () => {
    const { path } = await runningRun();
    const json = { signal: 'paid', signalId: 'evt-1', payload: { amount: 12 } };
    const first = await fixture.call('POST', `${path}/signals`, { json });
    const again = await fixture.call('POST', `${path}/signals`, { json });
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.version).toBe(first.body.version);
  });

  it('refuses a run that has ended', async () => {
    const { path, script } = await runningRun();
    await fixture.call('POST', `${path}/cancel`);
    await script.decide();
    expect(await fixture.call('POST', `${path}/signals`, { json: { signal: 'late' } })).toMatchObject({ status: 409, body: { error: 'run_not_signalable' } });
  });

  it('records a broadcast once per id and namespace', async () => {
    const json = { signal: 'market.open', signalId: 'b-1' };
    expect((await fixture.call('POST', '/orchestrator/signals', { json })).body).toEqual({ signalId: 'b-1', accepted: true });
    expect((await fixture.call('POST', '/orchestrator/signals', { json })).body).toEqual({ signalId: 'b-1', accepted: false });
    expect((await fixture.call('POST', '/orchestrator/signals', { json, key: fixture.otherKeys.operator })).body.accepted).toBe(true);
  });
});
