import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { WORKSPACE } from './harness/service';
import { System } from './harness/system';
import { until } from './harness/until';
import { taskOf, Workflows } from './harness/workflows';

/** What the guides show, as it stands there, on the services as they are shipped. */
const guide = (name: string): Promise<string> => readFile(join(WORKSPACE, `docs/guides/${name}.md`), 'utf8');
const block = async (name: string, language: string): Promise<string> =>
  new RegExp('^```' + language + '\\n([\\s\\S]*?)^```', 'm').exec(await guide(name))?.[1] ?? '';

/** The shop of the guide: its first charge is stored, and the connection cut before it is answered. */
const charges: string[] = [];
const shop = createServer((request, response) => {
  const { method, url = '' } = request;
  const isCharge = url.endsWith('/charges');
  request.resume().on('end', () => {
    if (method === 'POST' && isCharge && charges.push(url) === 1) return void response.socket?.destroy();
    const answer = isCharge ? { chargeId: `c-${charges.length}` } : { orderId: `o-${request.headers['idempotency-key']}` };
    const isThere = method === 'POST' || !isCharge || charges.includes(url);
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(isThere ? answer : {}));
  });
});

const CALLS = [
  'GET /livez', 'GET /orchestrator/runs', 'GET /orchestrator/runs/{id}', 'GET /orchestrator/runs/{id}/events', 'GET /orchestrator/task-types',
  'GET /orchestrator/workflows', 'GET /orchestrator/workflows/{name}', 'GET /orchestrator/workflows/{name}/versions', 'GET /readyz',
  'GET /schemas/workflow.v1.schema.json', 'POST /orchestrator/runs', 'POST /orchestrator/runs/batch', 'POST /orchestrator/runs/{id}/cancel', 'POST /orchestrator/runs/{id}/pause',
  'POST /orchestrator/runs/{id}/resume', 'POST /orchestrator/runs/{id}/retry', 'POST /orchestrator/runs/{id}/signals',
  'POST /orchestrator/runs/{id}/tasks/{task}/resolve', 'POST /orchestrator/signals', 'POST /orchestrator/workflows/check',
  'PUT /orchestrator/task-types/{type}', 'PUT /orchestrator/workflows/{name}',
];

let folder: string;
let system: System;
let flows: Workflows;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foldwork-guides-'));
  await symlink(join(WORKSPACE, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'shop.mjs'), await block('add-an-action', 'js'));
  await writeFile(join(folder, 'sample.cjs'), compiled(await block('add-a-task-type', 'ts')));
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  system = await System.start({
    env: {
      FOLDWORK_ACTIONS: join(folder, 'shop.mjs'),
      SHOP_URL: `http://127.0.0.1:${(shop.address() as AddressInfo).port}`, // it listens on TCP
      NODE_OPTIONS: `--require ${join(folder, 'sample.cjs')}`,
    },
  });
  flows = new Workflows(system);
}, 60_000);
afterAll(async () => {
  await system?.stop();
  shop.closeAllConnections();
  shop.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The module of the guide beside the built ones, and the one call that the guide asks for. */
const compiled = (code: string): string => {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const domain = `${WORKSPACE}/dist/libs/domain/src`;
  const atHome = outputText.replaceAll('require("../../', `require("${domain}/`).replaceAll('require("../', `require("${domain}/task-types/`);
  return `${atHome}\nrequire("${domain}/index.js").taskTypes.register(exports.sample);\n`;
};

describe('the API reference', () => {
  it('[S3-60] is served by the gateway: each call with its summary, and an answer for what goes well', async () => {
    const { body } = await system.api.call('GET', '/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, { summary?: string; responses: Record<string, { content?: object }> }>> };
    const calls = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })));
    expect(calls.map(({ name }) => name).toSorted()).toEqual(CALLS);
    expect(calls.filter(({ operation }) => operation.summary === undefined || !Object.keys(operation.responses).some((code) => code.startsWith('2'))).map(({ name }) => name)).toEqual([]);
  });
});

describe('the guides', () => {
  it('[S3-60] "add an action": an order is placed and charged once, although the answer to the charge is lost', async () => {
    const done = await flows.play(await block('add-an-action', 'yaml'), { item: 'lamp', cents: 500 });
    expect([done.status, done.output, charges.length]).toEqual(['succeeded', { chargeId: 'c-1' }, 1]);
    expect(taskOf(done, 'order')?.output).toEqual({ orderId: `o-${done.runId}` });
    expect(await flows.faultsOf((await block('add-an-action', 'yaml')).replace('shop.charge', 'shop.chrage'))).toMatchObject([{ code: 'unknown_action' }]);
  });

  it('[S3-05][S3-60] "add a task type": usable over REST after one registration', async () => {
    const yaml = (await block('add-a-task-type', 'yaml'));
    const done = await flows.play(yaml);
    expect([done.status, done.output]).toEqual(['succeeded', { kept: [10, 30, 50] }]);
    expect(taskOf(done, 'twice')?.output).toMatchObject({ results: [{ n: 20 }, { n: 60 }, { n: 100 }] });
    expect(await flows.faultsOf(yaml.replace('every: 2', 'every: 0'))).toMatchObject([{ code: 'invalid_value' }]);
  });

  it('[S3-60] "signals and waits": started by a signal, it ships after the payment, and reminds when none comes', async () => {
    const yaml = await block('signals-and-waits', 'yaml');
    await flows.publish(yaml);
    expect((await system.api.call('POST', '/orchestrator/signals', { signal: 'order.placed', payload: { orderId: 'o-1' } })).status).toBe(202);
    const run = await flows.runOf('orders.ship');
    await flows.taskIs(run, 'paid', 'waiting');
    const sent = /`(\{"signal": "payment\.received".*?\})`/.exec(await guide('signals-and-waits'))?.[1] ?? '';
    expect((await system.api.call('POST', `/orchestrator/runs/${run}/signals`, JSON.parse(sent))).status).toBe(202);
    const done = await flows.ended(run);
    expect([done.status, taskOf(done, 'ship')?.status, taskOf(done, 'remind')?.status]).toEqual(['succeeded', 'completed', 'skipped']);
    const late = await flows.play(yaml.replace('3 days', '30 ms'), { orderId: 'o-2' });
    expect([late.status, taskOf(late, 'remind')?.output]).toEqual(['succeeded', { unpaid: 'o-2' }]);
  });

  it('[S3-60] "follow runs from outside": a subscriber hears of the end of a run, and goes on where it was stopped', async () => {
    await writeFile(join(folder, 'mailer.mjs'), await block('follow-runs', 'js'));
    const yaml = "workflow: greeting\ntasks:\n  - { id: say, type: basic, action: core.log, with: { to: '${ input.to }' } }\noutput: '${ tasks.say.output }'";
    const hears = async (to: string, meanwhile: () => Promise<unknown>): Promise<void> => {
      const mailer = spawn(process.execPath, ['mailer.mjs'], { cwd: folder, env: { PATH: process.env['PATH'], FOLDWORK_NATS_URL: system.nats.url }, stdio: ['ignore', 'pipe', 'inherit'] });
      let heard = '';
      mailer.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      try {
        await meanwhile();
        await until(`the mailer hears of ${to}`, () => heard.includes(`{ to: '${to}' }`));
      } finally {
        mailer.kill('SIGKILL');
        await once(mailer, 'exit');
      }
    };
    await hears('Ann', () => flows.play(yaml, { to: 'Ann' }));
    await flows.play(yaml, { to: 'Bob' });
    await hears('Bob', () => Promise.resolve());
  });
});
