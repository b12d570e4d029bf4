import { Client } from 'pg';
import { onceTask, RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';
import { until } from './harness/until';

let system: System;
throughout({ env: { FOLDWORK_RUN_RETRY_MAXIMUM: '1', FOLDWORK_EXECUTOR_CONCURRENCY: '20' }, onceTasks: ['upload', 'verified', 'dropped'] }, (started) => (system = started));

const NO_RETRY = { retry: { maximumAttempts: 1 } };
const statusesOf = (tasks: readonly { status: string }[]): string[] => tasks.map(({ status }) => status);

const freshly = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  return work(client).finally(() => client.end());
};

describe('a job that goes well', () => {
  it('[S1-02] is found with its plan and all its tasks by a fresh connection; the plan was one commit; a refused run leaves nothing', async () => {
    const { api } = system;
    const definition = workflow('linked', [task('validate'), task('map'), task('upload_image'), task('create'), task('save')]);
    const run = await api.submit(definition);
    await api.succeeded(run);
    const plans = await freshly(async (client) =>
      (await client.query<{ data: string; commits: string }>("SELECT data, xmin::text AS commits FROM events WHERE run_id = $1 AND type = 'RunPlanned'", [run.slice(4)])).rows);
    expect(plans).toHaveLength(1);
    expect((JSON.parse(plans[0]!.data) as { tasks: { id: string }[] }).tasks.map(({ id }) => id)).toEqual(['validate', 'map', 'upload_image', 'create', 'save']);

    const before = await system.log.head();
    const refused = await api.call('POST', '/orchestrator/runs', { definition: workflow('refused', [task('a'), task('a')]) });
    expect(refused.status).toBe(422);
    const left = await freshly((client) => client.query('SELECT FROM events WHERE position > $1', [before]));
    expect(left.rowCount).toBe(0);
    expect((await freshly((client) => client.query("SELECT FROM definitions WHERE body LIKE '%refused%'"))).rowCount).toBe(0);
  });

  it('[S0-03][S0-12] a second reader sees the task running, and the run running until its last task is done', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('visible', [task('first'), task('slow', { gateBefore: 'visible' }), task('last')]));
    await world.when(() => world.callsOf(run, 'slow').length === 1);
    const during = await api.detail(run);
    expect(during.status).toBe('running');
    expect(statusesOf(during.tasks)).toEqual(['completed', 'in_progress', 'pending']);
    expect(during.tasks[1]?.startedAt).toMatch(/^\d{4}-.*Z$/);
    const inLog = await freshly((client) => client.query("SELECT data FROM events WHERE run_id = $1 AND type = 'RunCompleted'", [run.slice(4)]));
    expect(inLog.rowCount).toBe(0);
    world.openGate('visible');
    expect(statusesOf((await api.succeeded(run)).tasks)).toEqual(['completed', 'completed', 'completed']);
  });

  it('[S0-04][S1-03] ends each task with exactly one event and keeps result and times', async () => {
    const { api } = system;
    const run = await api.submit(workflow('terminal', [task('upload_image', { output: { uploaded_id: 'vinted_123' } }), task('save')]));
    const detail = await api.succeeded(run);
    const ends = (await api.events(run)).filter(({ type, data }) => type === 'TaskTransitioned' && data['to'] === 'completed');
    expect(ends.map((event) => event.task)).toEqual(['upload_image', 'save']);
    const [upload] = detail.tasks;
    expect(upload?.output).toMatchObject({ uploaded_id: 'vinted_123' });
    expect(Date.parse(upload!.startedAt!)).toBeLessThanOrEqual(Date.parse(upload!.finishedAt!));
  });

  it('[S0-13] logs start, completion with its duration, and failure of each attempt, once each', async () => {
    const { api } = system;
    const run = await api.submit(workflow('logged', [task('flaky', { failFirst: 1, delayMs: 30 }, { retry: RETRY_AT_ONCE })]));
    await api.succeeded(run);
    const executor = system.service('executor');
    await executor.logged('task_completed', { runId: run });
    const lines = executor.lines.filter((line) => line['runId'] === run && String(line.event).startsWith('task_'));
    expect(lines.map(({ event, attempt }) => [event, attempt])).toEqual([['task_started', 1], ['task_failed', 1], ['task_started', 2], ['task_completed', 2]]);
    expect(lines.every((line) => line['task'] === 'flaky' && line['step'] === 'flaky')).toBe(true);
    expect(lines[3]?.['duration']).toMatch(/^0\.\d\d$/);
    expect(lines[1]?.['error']).toMatchObject({ code: 'WORLD_FAILED' });
  });

  it('tells the whole story live over server-sent events, and again from where a reader left off', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('streamed', [task('a'), task('b', { gateBefore: 'streamed' })]));
    const seen = readStream(run);
    await world.when(() => world.callsOf(run, 'b').length === 1);
    world.openGate('streamed');
    const all = await seen;
    expect(all.at(-1)?.type).toBe('RunCompleted');
    expect(all.map(({ type }) => type)).toEqual((await api.events(run)).map(({ type }) => type));
    expect(await readStream(run, all[1]!.id)).toEqual(all.slice(2));
  });
});

describe('the trace of a request', () => {
  const traceOf = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
  const [ofRequest, ofSignal] = [traceOf('a'), traceOf('b')];

  it('goes through log and bus into every event of the run and of its child run, and to their actions; a signal has its own', async () => {
    const { api, world } = system;
    expect((await api.call('PUT', '/orchestrator/workflows/traced.child', workflow('traced.child', [task('inner')]))).status).toBe(201);
    const definition = workflow('traced', [
      task('flaky', { failFirst: 1 }, { retry: RETRY_AT_ONCE }), { id: 'gate', type: 'wait', waitFor: 'go', timeout: '1m' }, { id: 'sub', type: 'composite', workflow: 'traced.child' }, task('last'),
    ]);
    const { runId: run } = (await api.call('POST', '/orchestrator/runs', { definition }, { traceparent: ofRequest })).body as { runId: string };
    expect((await api.call('POST', `/orchestrator/runs/${run}/signals`, { signal: 'go' }, { traceparent: ofSignal })).status).toBe(202);
    await api.succeeded(run);
    const child = await childOf(run);
    const traces = [...(await api.events(run)), ...(await api.events(child))].map(({ type, metadata }) => [type, (metadata as { traceparent?: string }).traceparent]);
    expect(traces.length).toBeGreaterThan(10);
    expect(traces.filter(([type, trace]) => trace !== (type === 'SignalReceived' ? ofSignal : ofRequest))).toEqual([]);
    expect([...world.callsOf(run), ...world.callsOf(child)].map(({ task: path, traceparent }) => [path, traceparent]))
      .toEqual([['flaky', ofRequest], ['flaky', ofRequest], ['last', ofRequest], ['inner', ofRequest]]);
  });

  const childOf = (run: string): Promise<string> =>
    until(`the child of ${run} in the list`, async () =>
      ((await system.api.call('GET', '/orchestrator/runs?workflow=traced.child')).body as { runs: { runId: string }[] }).runs[0]?.runId);
});

describe('a job that fails', () => {
  it('[S0-11][S1-05][S1-09] stops at the failure; the automatic retry and the operator\'s go on there', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('lifecycle', [task('validate'), task('upload', { failFirst: 2 }, NO_RETRY), task('save')]));
    // Once by itself: failed, retried 300 ms later, failed again and now for good.
    const failed = await api.reached(run, 'failed');
    const final = await until('the second failure', async () => {
      const detail = await api.detail(run);
      return detail.attempt === 2 && detail.status === 'failed' && detail;
    });
    expect(failed.runId).toBe(run);
    expect(statusesOf(final.tasks)).toEqual(['completed', 'failed', 'pending']);
    expect(final.error).toMatchObject({ message: expect.stringContaining('call 2 of upload failed') });
    expect(world.callsOf(run, 'save')).toEqual([]);

    expect((await api.command(run, 'retry', { reason: 'the shop is back' })).status).toBe(202);
    const done = await api.succeeded(run);
    expect(statusesOf(done.tasks)).toEqual(['completed', 'completed', 'completed']);
    expect(world.callsOf(run).map((call) => call.task)).toEqual(['validate', 'upload', 'upload', 'upload', 'save']);
    const story = (await api.events(run)).filter((event) => event.task === '').map(({ type, data }) => [type, data['automatic']]);
    expect(story).toEqual([
      ['RunRequested', undefined], ['RunPlanned', undefined], ['RunFailed', undefined], ['RunRetried', true],
      ['RunFailed', undefined], ['RunRetried', false], ['RunCompleted', undefined],
    ]);
  });

  it('[S1-04][S1-06] a retried job of five calls no handler again that has completed', async () => {
    const { api, world } = system;
    const tasks = [1, 2, 3, 4, 5].map((number) => task(`t${number}`, number === 3 ? { failFirst: 1 } : { output: { id: `id-${number}` } }, NO_RETRY));
    const run = await api.submit(workflow('five', tasks));
    const detail = await api.succeeded(run);
    expect(world.callsOf(run).map((call) => call.task)).toEqual(['t1', 't2', 't3', 't3', 't4', 't5']);
    expect([1, 2, 3, 5].map((number) => detail.tasks[number - 1]?.output)).toMatchObject([{ id: 'id-1' }, { id: 'id-2' }, { task: 't3' }, { id: 'id-5' }]);
  });

  it('[S0-06] keeps what went wrong', async () => {
    const { api } = system;
    const run = await api.submit(workflow('captured', [{ id: 'doomed', type: 'basic', action: 'core.fail', with: { message: 'Network error', code: 'NETWORK' }, ...NO_RETRY }]));
    const detail = await until('the last failure', async () => {
      const now = await api.detail(run);
      return now.attempt === 2 && now.status === 'failed' && now;
    });
    expect(detail.tasks[0]).toMatchObject({ status: 'failed', error: { message: 'Network error' } });
    expect(detail.tasks[0]?.finishedAt).toBeDefined();
  });
});

describe('effects that must not happen twice', () => {
  it('[S0-10] an upload whose answer was lost is verified, not repeated, and keeps its side effects', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('no-double', [task('verified', { dropFirst: 1 }, { action: 'world.recorded', retry: RETRY_AT_ONCE }), task('save')]));
    const detail = await api.succeeded(run);
    expect(world.callsOf(run, 'verified')).toHaveLength(1);
    expect(world.questions.filter((question) => question.run === run)).toHaveLength(1);
    expect(detail.tasks[0]).toMatchObject({ status: 'completed', sideEffects: { image_id: 'begun-1' }, output: { image_id: 'begun-1', verified: true } });
    expect((await api.events(run)).map(({ type }) => type)).toContain('EffectVerified');
  });

  it('an effect nobody can vouch for is escalated and resolved by an operator, never repeated', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('unknowable', [onceTask('dropped', { dropFirst: 1, unknowable: true }, { retry: RETRY_AT_ONCE }), task('after')]));
    const stuck = await api.reached(run, 'escalated');
    expect(statusesOf(stuck.tasks)).toEqual(['escalated', 'pending']);
    expect(stuck.tasks[0]?.error).toMatchObject({ code: 'EFFECT_UNKNOWN' });
    expect(world.callsOf(run)).toHaveLength(1);
    const answer = await api.command(run, 'tasks/dropped/resolve', { as: 'completed', output: { image_id: 'seen-in-the-shop' }, reason: 'looked it up' });
    expect(answer.status).toBe(202);
    const done = await api.succeeded(run);
    expect(done.tasks[0]).toMatchObject({ status: 'completed', output: { image_id: 'seen-in-the-shop' } });
    expect(world.callsOf(run).map((call) => call.task)).toEqual(['dropped', 'after']);
  });
});

describe('what operators can do', () => {
  it('cancel reaches the running action, whose result is dropped', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('canceled', [task('long', { gate: 'never' }), task('after')]));
    await world.when(() => world.callsOf(run, 'long').length === 1);
    expect((await api.command(run, 'cancel', { reason: 'not wanted' })).status).toBe(202);
    const detail = await api.reached(run, 'canceled');
    expect(statusesOf(detail.tasks)).toEqual(['canceled', 'canceled']);
    await world.when(() => world.callsOf(run, 'long')[0]!.aborted);
    await system.service('executor').logged('attempt_fenced', { runId: run });
    expect((await api.events(run)).filter(({ data }) => data['to'] === 'completed')).toEqual([]);
  });

  it('pause lets the running task end and starts none; resume goes on', async () => {
    const { api, world } = system;
    const run = await api.submit(workflow('paused', [task('first', { gate: 'paused' }), task('second')]));
    await world.when(() => world.callsOf(run, 'first').length === 1);
    expect((await api.command(run, 'pause')).status).toBe(202);
    await until('the pause to reach the executor', async () => (await api.detail(run))['paused'] === true);
    await new Promise((resolve) => setTimeout(resolve, 100)); // the hint to the executor has no acknowledgement
    world.openGate('paused');
    await until('the end of the first task', async () => (await api.detail(run)).tasks[0]?.status === 'completed');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(statusesOf((await api.detail(run)).tasks)).toEqual(['completed', 'pending']);
    expect((await api.command(run, 'resume')).status).toBe(202);
    await api.succeeded(run);
    expect(world.callsOf(run).map((call) => call.task)).toEqual(['first', 'second']);
  });

  it('an idempotency key holds across a killed gateway', async () => {
    const { api, world } = system;
    const definition = workflow('keyed', [task('only')]);
    const run = await api.submit(definition, {}, 'order-1');
    await system.kill('gateway');
    system.launch('gateway');
    await system.ready('gateway');
    expect(await api.submit(definition, {}, 'order-1')).toBe(run);
    const other = await api.call('POST', '/orchestrator/runs', { definition, input: { other: 1 } }, { 'idempotency-key': 'order-1' });
    expect([other.status, (other.body as { error: string }).error]).toEqual([409, 'idempotency_key_reused']);
    await api.succeeded(run);
    expect(world.callsOf(run)).toHaveLength(1);
  });
});

describe('an action that no executor has', () => {
  it('[S1-10] leaves the task pending with a warning that names it; an executor that has it finishes the run', async () => {
    const { api, world } = system;
    await system.launchAll(['executor-rare'], { WORLD_RARE: 'on', FOLDWORK_EXECUTOR_POOLS: 'elsewhere' }); // makes the action known, takes no step
    const run = await api.submit(workflow('rare', [task('special', {}, { action: 'world.rare' })]));
    const warning = await system.service('executor').logged('action_missing', { runId: run });
    expect(warning).toMatchObject({ action: 'world.rare', task: 'special' });
    expect(await api.detail(run)).toMatchObject({ status: 'running', tasks: [{ status: 'pending' }] });
    await system.kill('executor-rare');
    await system.launchAll(['executor-rare'], { WORLD_RARE: 'on' });
    await api.succeeded(run, 15_000);
    expect(world.callsOf(run)).toHaveLength(1);
  });
});

interface StreamedEvent {
  readonly id: string;
  readonly type: string;
}

/** Reads until the run has ended. */
const readStream = async (run: string, after?: string): Promise<StreamedEvent[]> => {
  const ending = new AbortController();
  const response = await fetch(`${system.api.url}/orchestrator/runs/${run}/events`, {
    headers: { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) },
    signal: ending.signal,
  });
  const events: StreamedEvent[] = [];
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const id = /^id: ?(.*)$/m.exec(block)?.[1];
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      if (id !== undefined && data !== undefined) events.push({ id, type: (JSON.parse(data) as { type: string }).type });
    }
    if (events.at(-1)?.type === 'RunCompleted') break;
  }
  ending.abort();
  return events;
};
