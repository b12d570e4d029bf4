import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'foldwork-leaks-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (test: string): { status: number | null; output: string } => {
  writeFileSync(join(folder, 'some.spec.js'), test);
  writeFileSync(join(folder, 'other.spec.js'), `it('has nothing to do with it', () => undefined);`); // a file alone would not get a process of its own
  const config = { rootDir: folder, testEnvironment: join(ROOT, 'tools/leak-check.environment.cjs'), testEnvironmentOptions: { leakPatienceMs: 3_000 }, testMatch: ['**/*.spec.js'] };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'node_modules/jest/bin/jest.js'), '--forceExit', '--maxWorkers=2', '--config', JSON.stringify(config)], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

it.each([
  ['a timer', `setInterval(() => undefined, 10_000);`, '1 × Timeout'],
  ['a server', `await new Promise((resolve) => require('node:net').createServer().listen(0, resolve));`, '1 × TCPServerWrap'],
  ['a connection', `const { connect, createServer } = require('node:net');
    const server = createServer(() => undefined);
    await new Promise((resolve) => server.listen(0, resolve));
    await new Promise((resolve) => connect(server.address().port, resolve));
    server.unref();`, 'TCPSocketWrap'],
])('a test file that leaves %s behind fails, though its tests pass', (_what, leak, named) => {
  const { status, output } = run(`it('passes', async () => { ${leak} });`);
  expect(status).toBe(1);
  expect(output).toContain('The tests left open: ');
  expect(output).toContain(named);
}, 60_000);

it('a test file that takes everything away again, late and in its last hook, passes', () => {
  const { status, output } = run(`
    let server;
    beforeAll((done) => { server = require('node:net').createServer().listen(0, done); });
    it('passes', () => { setTimeout(() => undefined, 200); });
    afterAll(() => { server.close(); });
  `);
  expect([status, output]).toEqual([0, expect.stringContaining('2 passed')]);
}, 60_000);
