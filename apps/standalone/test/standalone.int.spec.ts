import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresFiles, unprivilegedAccount } from '@foldwork/platform/local-postgres';
import { processesOf, StandaloneProcess } from './standalone-process';

jest.setTimeout(120_000);
const ROOT = join(__dirname, '../../..');

let folder: string;
const running: StandaloneProcess[] = [];
const start = (settings: Readonly<Record<string, string>> = {}): StandaloneProcess => {
  const server = new StandaloneProcess(folder, settings);
  running.push(server);
  return server;
};
const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (const deadline = Date.now() + 20_000; !(await condition()); await sleep(50)) if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'foldwork-standalone-')); // for its owner alone: as root, Postgres cannot live in it
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const WORKFLOW = { workflow: 'greet', tasks: [{ id: 'hello', type: 'basic', action: 'core.log', with: { text: 'hello' } }] };
const statusOf = async (server: StandaloneProcess, runId: unknown): Promise<unknown> => (await server.call('GET', `/runs/${String(runId)}`)).body['status'];

it('keeps its data and its key over a kill and a restart, leaves no Postgres behind, and lets no second one into its folder', async () => {
  const first = await start().ready();
  const data = first.printed('data');
  expect((await first.call('PUT', '/workflows/greet', WORKFLOW)).status).toBeLessThan(300);
  const { runId } = (await first.call('POST', '/runs', { workflow: 'greet', input: {} })).body;
  await until(async () => (await statusOf(first, runId)) === 'succeeded', 'the run');
  expect(statSync(join(folder, 'api-key')).mode & 0o077).toBe(0);
  expect(readFileSync(join(folder, 'api-key'), 'utf8')).toBe(first.printed('key'));
  await expect(fetch(first.printed('address').replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow(); // another address of the same machine
  if (process.getuid?.() === 0) expect(data).toMatch(/^\/var\/tmp\/foldwork-/);

  const second = start();
  expect(await second.end()).toBe(1);
  expect(second.output).toContain('another Foldwork (process');
  expect(second.output).not.toContain('    at '); // no stack trace
  expect(await statusOf(first, runId)).toBe('succeeded');

  await first.end('SIGKILL');
  await until(() => processesOf(data).length === 0, 'Postgres to end with its owner');

  const third = await start().ready();
  expect(third.printed('key')).toBe(first.printed('key'));
  expect(await statusOf(third, runId)).toBe('succeeded');
  expect(await third.end('SIGTERM')).toBe(0);
  expect(processesOf(data)).toEqual([]);
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

it('is back at once after a kill, while its Postgres is still ending', async () => {
  const first = await start().ready();
  await first.end('SIGKILL');
  const second = await start().ready();
  const data = second.printed('data');
  expect((await second.call('GET', '/runs')).status).toBe(200);
  expect(await second.end('SIGTERM')).toBe(0);
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

it('begins its set-up anew when it was killed in the middle of it', async () => {
  const first = start();
  const home = dirname(postgresFiles(folder, unprivilegedAccount()).data);
  await until(() => readdirSync(home).some((name) => existsSync(join(home, name, 'PG_VERSION'))), 'initdb to begin');
  await first.end('SIGKILL');
  for (const pid of processesOf(home)) process.kill(pid, 'SIGKILL'); // as when the machine goes down
  const second = await start().ready();
  expect((await second.call('GET', '/runs')).status).toBe(200);
  expect(readdirSync(home).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  expect(await second.end('SIGTERM')).toBe(0);
  if (home.startsWith('/var/tmp/')) rmSync(home, { recursive: true });
});

it('makes its key anew where the database is another one, or the file was cut off, and keeps it otherwise', async () => {
  const first = await start().ready();
  const home = dirname(first.printed('data'));
  const key = first.printed('key');
  await first.end('SIGTERM');
  writeFileSync(join(folder, 'api-key'), '');
  const second = await start().ready();
  expect((await second.call('GET', '/runs')).status).toBe(200);
  expect(second.printed('key')).not.toBe(key);
  await second.end('SIGTERM');
  rmSync(second.printed('data'), { recursive: true });
  const third = await start().ready();
  expect((await third.call('GET', '/runs')).status).toBe(200);
  expect(readFileSync(join(folder, 'api-key'), 'utf8')).toBe(third.printed('key'));
  expect(statSync(join(folder, 'api-key')).mode & 0o077).toBe(0);
  await third.end('SIGTERM');
  if (home.startsWith('/var/tmp/')) rmSync(home, { recursive: true });
});

it('leaves alone a process that got the number of its former Postgres', async () => {
  const first = await start().ready();
  const data = first.printed('data');
  await first.end('SIGTERM');
  const other = spawn('/bin/sh', ['-c', 'echo postgres; read line'], { stdio: ['pipe', 'ignore', 'ignore'], ...unprivilegedAccount() });
  writeFileSync(join(data, 'postmaster.pid'), `${String(other.pid)}\n${data}\n1\n5432\n`);
  const second = await start().ready();
  expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  expect(await second.end('SIGTERM')).toBe(0);
  const exit = once(other, 'exit');
  other.kill('SIGKILL');
  await exit;
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

it('says what keeps it from starting and nothing else, and leaves nothing behind', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const port = String((other.address() as AddressInfo).port);
  const taken = start({ FOLDWORK_HTTP_PORT: port });
  expect(await taken.end()).toBe(1);
  other.close();
  expect(taken.output.trim().split('\n').slice(-2)).toEqual([`listen EADDRINUSE: address already in use 127.0.0.1:${port}`, expect.stringContaining('FOLDWORK_HTTP_PORT')]);
  expect(taken.output).not.toMatch(/_trouble|_failed|stack/); // Postgres ends last

  const wrong = start({ FOLDWORK_ACTIONS: 'nowhere.mjs' });
  expect(await wrong.end()).toBe(1);
  expect(wrong.output).toMatch(/^action \/.*nowhere\.mjs: there is no such file[^\n]*\n$/);

  const right = await start().ready();
  const data = right.printed('data');
  const announced = right.output.length;
  expect(await right.end('SIGTERM')).toBe(0);
  expect(right.output.slice(announced).trim()).toBe(''); // no trouble while it ends
  expect(processesOf(data)).toEqual([]);
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

it('runs the workflow of the README by the commands of the README', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [begin = '', use = ''] = [...readme.matchAll(/^```sh\n([^`]*(?:node -e|curl)[^`]*)^```/gm)].map(([, lines]) => lines ?? '');
  const module = /FOLDWORK_ACTIONS=(\S+)/.exec(begin)?.[1] ?? '';
  const market = spawn(process.execPath, ['-e', (/"(.*)"/.exec(begin)?.[1] ?? '').replace('4000', '0').concat('.then(({ url }) => console.log(url))')], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(market.stdout, 'data')) as [Buffer];
  const server = await start({ FOLDWORK_ACTIONS: module, MARKETPLACE_URL: url.toString().trim() }).ready();
  writeFileSync(join(folder, 'listing.yml'), /^```yaml\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? '');
  const commands = use.replaceAll('http://127.0.0.1:3000/orchestrator', server.printed('address'));
  const { stdout } = await promisify(execFile)('/bin/sh', ['-ec', commands], { cwd: folder, env: { PATH: process.env['PATH'], KEY: server.printed('key') } });
  const runIds = [...stdout.matchAll(/"runId":"(run_[^"]+)"/g)].map(([, runId]) => runId);
  expect(runIds).toHaveLength(3);
  for (const runId of runIds) await until(async () => (await statusOf(server, runId)) === 'succeeded', 'the run');
  const data = server.printed('data');
  await server.end('SIGTERM');
  market.kill();
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

it('says so when an action ends the process, and goes on where that was', async () => {
  const actions = join(folder, 'exit.mjs');
  writeFileSync(actions, `export default [{ name: 'x.exit', effect: 'none', run: (_input, context) => (context.attempt === 1 ? process.exit(9) : 'survived') }];`);
  const first = await start({ FOLDWORK_ACTIONS: actions }).ready();
  const { runId } = (await first.call('POST', '/runs', { definition: { workflow: 'end', tasks: [{ id: 'it', type: 'basic', action: 'x.exit' }] } })).body;
  expect(await first.end()).toBe(9);
  expect(first.output).toContain('"event":"exited","code":9');
  const second = await start({ FOLDWORK_ACTIONS: actions }).ready();
  await until(async () => (await statusOf(second, runId)) === 'succeeded', 'the run');
  const data = second.printed('data');
  await second.end('SIGTERM');
  if (data.startsWith('/var/tmp/')) rmSync(dirname(data), { recursive: true });
});

const DEMO = join(ROOT, 'dist/apps/standalone/src/demo.js');

it('plays the demo to its end: a lost answer, a kill, each image exactly once, told while it happens', async () => {
  const { PATH, HOME } = process.env;
  const demo = spawn(process.execPath, [DEMO], { env: { PATH, HOME }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let wasDown = '';
  demo.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (wasDown === '' && output.includes('kill -9')) wasDown = output;
  });
  const [code] = (await once(demo, 'exit')) as [number | null];
  expect(output).toContain('kill -9');
  expect(output).toContain('LOSES THE ANSWER');
  for (const image of ['front.jpg', 'side.jpg', 'back.jpg']) expect(output).toMatch(new RegExp(`${image}\\s+stored 1 time\\n`));
  expect(output).toMatch(/listing\s+published 1 time\n/);
  expect(output).toContain('Each image exactly once');
  expect(wasDown).toContain('createDraft: completed');
  expect(wasDown).not.toContain('started again'); // it was told when it happened
  const [numbers, steps] = [[...output.matchAll(/#\s*(\d+)  /g)].map(([, number]) => Number(number)), output.match(/: completed/g)];
  expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right)); // each event of the log once, in its order
  expect(steps).toHaveLength(5); // no step twice
  expect(code).toBe(0);
});

it('ends a demo that is interrupted in the middle with all that it began', async () => {
  chmodSync(folder, 0o755);
  const { PATH, HOME } = process.env;
  const demo = spawn(process.execPath, [DEMO], { env: { PATH, HOME, TMPDIR: folder, FOLDWORK_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/of-the-user' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(() => output.includes('marketplace receives side.jpg'), 'the second upload');
  demo.kill('SIGINT');
  await once(demo, 'close');
  expect([demo.exitCode, /failed/.exec(output)]).toEqual([130, null]);
  expect(processesOf(folder)).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith('foldwork-demo'))).toEqual([]); // a copy of Postgres's files is kept for the next time
});
