import { connect, type NatsConnection } from '@nats-io/transport-node';
import { createServer, type Server } from 'node:http';
import { task, workflow } from './harness/definitions';
import { System } from './harness/system';
import { until } from './harness/until';
import type { RunDetail } from './harness/api';

let system: System;
let nats: NatsConnection;
beforeAll(async () => {
  system = await System.start();
  nats = await connect({ servers: system.nats.url });
}, 60_000);
afterAll(async () => {
  await nats?.close();
  await system?.stop();
}, 60_000);

const log = (id: string, more: object = {}) => ({ id, type: 'basic', action: 'core.log', ...more });
const publish = async (definition: object & { workflow?: string }): Promise<void> => {
  const { status, body } = await system.api.call('PUT', `/orchestrator/workflows/${definition.workflow}`, definition);
  if (status !== 201) throw new Error(`not published: ${JSON.stringify(body)}`);
};
const run = async (definition: object, input: object = {}): Promise<RunDetail> => system.api.succeeded(await system.api.submit(definition, input));
const waiting = (id: string, path: string): Promise<RunDetail> =>
  until(`${path} of ${id} to wait`, async () => {
    const detail = await system.api.detail(id);
    return detail.tasks.some((each) => each.path === path && each.status === 'waiting') && detail;
  });
const signal = (body: object, id?: string) => system.api.call('POST', id === undefined ? '/orchestrator/signals' : `/orchestrator/runs/${id}/signals`, body);
const taskOf = (detail: RunDetail, path: string) => detail.tasks.find((each) => each.path === path);

describe('each task type, by REST, on Postgres and NATS', () => {
  it('[S3-56] basic: an action of an executor, its output in the output of the run', async () => {
    const done = await run(workflow('types.basic', [task('call', { output: { price: 3 } })], { output: { price: '${ tasks.call.output.price }' } }));
    expect(done.output).toEqual({ price: 3 });
    expect(system.world.callsOf(done.runId)).toHaveLength(1);
  });

  it('[S3-56][S3-08] wait: goes on with the named signal whose condition holds, and follows onSuccess', async () => {
    const definition = workflow('types.wait', [
      { id: 'hold', type: 'wait', waitFor: 'go', condition: 'signal.payload.ok == true', timeout: '1m', onSuccess: { next: 'after' }, onTimeout: { next: 'between' } },
      log('between'), log('after'),
    ]);
    const id = await system.api.submit(definition);
    await waiting(id, 'hold');
    for (const body of [{ signal: 'stop', payload: { ok: true } }, { signal: 'go', payload: { ok: false } }]) expect((await signal(body, id)).status).toBe(202);
    expect(taskOf(await waiting(id, 'hold'), 'hold')?.status).toBe('waiting');
    await signal({ signal: 'go', payload: { ok: true, by: 'me' } }, id);
    const done = await system.api.succeeded(id);
    expect(taskOf(done, 'hold')?.output).toMatchObject({ signal: { payload: { ok: true, by: 'me' } }, signalReceivedAt: expect.anything() });
    expect([taskOf(done, 'between')?.status, taskOf(done, 'after')?.status]).toEqual(['skipped', 'completed']);
  });

  it('[S3-56][S3-15] signal: releases waits of two runs and names both', async () => {
    const listener = workflow('types.listener', [{ id: 'hear', type: 'wait', waitFor: 'news', timeout: '1m' }], { output: '${ tasks.hear.output.signal.payload }' });
    const listeners = [await system.api.submit(listener), await system.api.submit(listener)];
    for (const id of listeners) await waiting(id, 'hear');
    const done = await run(workflow('types.signal', [{ id: 'tell', type: 'signal', signal: { id: 'news', payload: { n: '${ input.n }' } } }]), { n: 7 });
    for (const id of listeners) expect((await system.api.succeeded(id)).output).toEqual({ n: 7 });
    expect(taskOf(done, 'tell')?.output).toMatchObject({ signalDispatched: true, signalId: expect.any(String) });
    expect([...(taskOf(done, 'tell')?.output as { targets: string[] }).targets].sort()).toEqual(listeners.map((id) => `${id}/hear`).sort());
  });

  it('[S3-56] router: takes the route of the value, skips the other', async () => {
    const done = await run(workflow('types.router', [{ id: 'choose', type: 'router', condition: 'input.kind', routes: { 2: 'two', a: 'other' }, default: 'other' }, log('two', { final: true }), log('other')]), { kind: 2 });
    expect(taskOf(done, 'choose')?.output).toEqual({ condition: expect.anything(), routeTaken: 'two', routerType: expect.any(String) });
    expect([taskOf(done, 'two')?.status, taskOf(done, 'other')?.status]).toEqual(['completed', 'skipped']);
  });

  it('[S3-56] parallel: its branches run at the same time', async () => {
    const id = await system.api.submit(workflow('types.parallel', [{ id: 'both', type: 'parallel', tasks: [task('left', { gate: 'types.left' }), task('right', { gate: 'types.right' })] }]));
    await system.world.when(() => system.world.callsOf(id).length === 2);
    system.world.openGate('types.left');
    system.world.openGate('types.right');
    expect(Object.keys((taskOf(await system.api.succeeded(id), 'both')?.output as { outputs: object }).outputs)).toEqual(['left', 'right']);
  });

  it('[S3-56] collection: one child per kept item, in groups', async () => {
    const done = await run(workflow('types.collection', [{ id: 'all', type: 'collection', items: '1..5', filter: 'item != 3', batch: 2, each: log('one', { with: { n: '${ item }' } }) }]));
    expect(taskOf(done, 'all')?.output).toMatchObject({ itemCount: 4, skippedCount: 1, results: [{ n: 1 }, { n: 2 }, { n: 4 }, { n: 5 }] });
  });

  it('[S3-56] composite: one after another, and another workflow as a child run', async () => {
    await publish(workflow('types.child', [log('only', { with: { double: '${ input.n * 2 }' } })], { output: '${ tasks.only.output }' }) as { workflow: string });
    const done = await run(workflow('types.composite', [
      { id: 'row', type: 'composite', tasks: [log('a', { with: { n: 1 } }), log('b', { with: { n: '${ tasks.a.output.n + 1 }' } })] },
      { id: 'child', type: 'composite', workflow: 'types.child', with: { n: '${ tasks.row.children.b.output.n }' } },
    ]));
    expect(taskOf(done, 'child')?.output).toEqual({ double: 4 });
  });

  it('[S3-56] aggregate: values of earlier results', async () => {
    const done = await run(workflow('types.aggregate', [log('x', { with: { n: 2 } }), log('y', { with: { n: 3 } }), { id: 'sum', type: 'aggregate', outputs: { total: '${ tasks.x.output.n + tasks.y.output.n }' } }]));
    expect(taskOf(done, 'sum')?.output).toEqual({ total: 5 });
  });
});

describe('signals', () => {
  it('[S3-13] one that comes before the wait is consumed when the wait begins; the same id again changes nothing', async () => {
    const id = await system.api.submit(workflow('early', [task('first', { gate: 'early' }), { id: 'hold', type: 'wait', waitFor: 'go', timeout: '1m' }]));
    await system.world.when(() => system.world.callsOf(id).length === 1);
    for (const n of [1, 2]) expect((await signal({ signal: 'go', signalId: 'early-1', payload: { n } }, id)).status).toBe(202);
    system.world.openGate('early');
    expect(taskOf(await system.api.succeeded(id), 'hold')?.output).toMatchObject({ signal: { payload: { n: 1 } } });
  });

  it('[S3-16] one that a workflow declares as trigger starts it, with the payload as input, from REST and from NATS; others are logged and ignored', async () => {
    const schema = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };
    await publish(workflow('triggered', [log('note', { with: '${ input }' })], { triggers: [{ signal: 'order.placed', schema }], input: schema, output: '${ tasks.note.output }' }) as { workflow: string });
    const runs = async (): Promise<{ runId: string; status: string }[]> => ((await system.api.call('GET', '/orchestrator/runs?workflow=triggered')).body as { runs: { runId: string; status: string }[] }).runs;

    await signal({ signal: 'order.lost', payload: { n: 1 } });
    await signal({ signal: 'order.placed', payload: { n: 'one' } });
    await system.service('planner').logged('trigger_refused', { workflow: 'triggered' });
    await signal({ signal: 'order.placed', signalId: 'order-1', payload: { n: 1 } });
    const answer = await nats.request('foldwork.signals', JSON.stringify({ namespace: 'default', signal: 'order.placed', signalId: 'order-2', payload: { n: 2 } }), { timeout: 5_000 });
    expect(answer.json()).toEqual({ signalId: 'order-2', accepted: true });

    const started = await until('two runs', async () => {
      const found = await runs();
      return found.length >= 2 && found.every(({ status }) => status === 'succeeded') && found;
    });
    const outputs = await Promise.all(started.map(async ({ runId }) => (await system.api.detail(runId)).output));
    expect(outputs.toSorted((a, b) => (a as { n: number }).n - (b as { n: number }).n)).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe('numbers', () => {
  let server: Server;
  let base: string;
  const bodies: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        bodies.push(text);
        response.writeHead(200, { 'content-type': 'application/json' }).end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('[S3-38] arrive at the action and come back digit for digit', async () => {
    const definition = workflow('exact', [{ id: 'send', type: 'collection', items: 'input.items', mode: 'sequential', each: { id: 'one', type: 'basic', action: 'http.request', with: { url: `${base}/`, method: 'POST', body: { item: '${ item }' } } } }], { output: '${ tasks.send.output.results.map(each, each.body.item) }' });
    const items = '[9007199254740993,0.12345678901234567891]';
    const response = await fetch(`${system.api.url}/orchestrator/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"definition":${JSON.stringify(definition)},"input":{"items":${items}}}` });
    const { runId } = (await response.json()) as { runId: string };
    await system.api.succeeded(runId);
    expect(bodies).toEqual(['{"item":9007199254740993}', '{"item":0.12345678901234567891}']);
    expect(await (await fetch(`${system.api.url}/orchestrator/runs/${runId}`)).text()).toContain(`"output":${items}`);
  });
});

describe('kill -9', () => {
  it('[S3-41] of planner and executor inside a composite: it goes on at the second child, the first is not run again', async () => {
    const id = await system.api.submit(workflow('restarted', [{ id: 'row', type: 'composite', tasks: [task('one'), task('two', { gate: 'restarted' }), task('three')] }]));
    await system.world.when(() => system.world.callsOf(id, 'row/two').length === 1);
    await system.kill('planner', 'executor');
    system.world.openGate('restarted');
    await system.launchAll(['planner', 'executor']);
    await system.api.succeeded(id);
    expect(['one', 'two', 'three'].map((each) => system.world.callsOf(id, `row/${each}`).length)).toEqual([1, 2, 1]);
  });
});
