import { loadActions, type Action, type ActionContext } from '@foldwork/actions';
import { createDefinitionLanguage, parseDefinition, taskTypes, type TaskTypeModule } from '@foldwork/domain';
import { Simulation } from '@foldwork/testing';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..');
const guide = (name: string): Promise<string> => readFile(join(ROOT, `docs/guides/${name}.md`), 'utf8');
const block = (text: string, language: string): string => new RegExp('^```' + language + '\\n([\\s\\S]*?)^```', 'm').exec(text)?.[1] ?? '';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foldwork-guides-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the guide "add an action"', () => {
  let shop: Server;
  const seen: { method: string | undefined; url: string | undefined; key: string | string[] | undefined }[] = [];
  const charges = new Map<string, object>();

  beforeAll(async () => {
    shop = createServer((request, response) => {
      const { method, url = '' } = request;
      seen.push({ method, url, key: request.headers['idempotency-key'] });
      if (method === 'POST' && url.endsWith('/charges')) charges.set(url, { chargeId: 'c-1' });
      const answer = url === '/orders' ? { orderId: 'o-1' } : charges.get(url);
      request.resume().on('end', () => response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(answer ?? {})));
    });
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
    const address = shop.address();
    process.env['SHOP_URL'] = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterAll(async () => {
    delete process.env['SHOP_URL'];
    await new Promise((resolve) => shop.close(resolve));
  });

  it('[S3-60] has code that loads and runs as the guide says', async () => {
    await writeFile(join(folder, 'shop.mjs'), block(await guide('add-an-action'), 'js'));
    const actions = new Map<string, Action<never>>((await loadActions(['shop.mjs'], folder)).map((action) => [action.name, action]));
    expect([...actions.values()].map(({ effect }) => effect)).toEqual(['none', 'keyed', 'once']);
    const recorded: unknown[] = [];
    const context = { effectKey: 'key-1', signal: new AbortController().signal, recordSideEffect: async (effect: unknown) => void recorded.push(effect) } as unknown as ActionContext; // what these actions use of it
    expect(await actions.get('shop.createOrder')?.run({ item: 'lamp' } as never, context)).toEqual({ orderId: 'o-1' });
    expect(seen.at(-1)).toMatchObject({ method: 'POST', url: '/orders', key: 'key-1' });
    const charge = actions.get('shop.charge');
    expect(await charge?.verify?.({ orderId: 'o-1' } as never, context)).toEqual({ applied: false });
    expect(await charge?.run({ orderId: 'o-1', cents: 5 } as never, context)).toEqual({ chargeId: 'c-1' });
    expect(recorded).toEqual([{ chargeId: 'c-1' }]);
    expect(await charge?.verify?.({ orderId: 'o-1' } as never, context)).toEqual({ applied: true, output: { chargeId: 'c-1' } });
  });

  it('has a workflow that is accepted with these actions', async () => {
    const actions = new Map((await loadActions(['shop.mjs'], folder)).map(({ name, effect, verify }) => [name, { effect, verify: verify !== undefined }]));
    expect(parseDefinition(block(await guide('add-an-action'), 'yaml'), { actions }).diagnostics).toEqual([]);
  });
});

describe('the guide "add a task type"', () => {
  /** Where the guide says that the module would live, seen from the test's own folder. */
  const atHome = (code: string): string =>
    code.replaceAll("from '../../", `from '${ROOT}/libs/domain/src/`).replaceAll("from '../", `from '${ROOT}/libs/domain/src/task-types/`);

  beforeAll(async () => writeFile(join(folder, 'sample.ts'), atHome(block(await guide('add-a-task-type'), 'ts'))));

  it('[S3-60] has a type that works after one registration', async () => {
    const { sample } = (await import(join(folder, 'sample.ts'))) as { sample: TaskTypeModule }; // the guide exports it
    taskTypes.register(sample);
    const { definition, diagnostics } = createDefinitionLanguage(taskTypes.definitions()).parseDefinition(block(await guide('add-a-task-type'), 'yaml'));
    expect(diagnostics).toEqual([]);
    const sim = new Simulation({ actions: { 'core.log': ({ input }) => ({ output: input }) } });
    if (definition !== undefined) sim.define(definition);
    const runId = await sim.request('sampled');
    await sim.settle();
    const run = await sim.run(runId);
    expect([run.status, run.output]).toEqual(['succeeded', { kept: [10, 30, 50] }]);
    expect(run.tasks.get('twice' as never)?.output).toMatchObject({ results: [{ n: 20 }, { n: 60 }, { n: 100 }] });
  });

  it('[S3-60] compiles as strictly as the product', async () => {
    const paths = Object.fromEntries(
      [['domain', 'domain/src/index.ts'], ['events', 'events/src/index.ts'], ['events/contracts', 'events/src/contracts/index.ts']].map(([name, file]) => [`@foldwork/${name}`, [`${ROOT}/libs/${file}`]]),
    );
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: `${ROOT}/tsconfig.json`, compilerOptions: { types: [], paths }, include: ['sample.ts'], exclude: [] }));
    const checked = await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')]).catch((error: { stdout: string }) => error);
    expect(checked.stdout).toBe('');
  }, 60_000);
});

describe('the guide "signals and waits"', () => {
  it('has a workflow that is accepted without a remark', async () => {
    expect(parseDefinition(block(await guide('signals-and-waits'), 'yaml')).diagnostics).toEqual([]);
  });
});
