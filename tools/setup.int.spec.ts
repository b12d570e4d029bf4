import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A workspace with nothing to install or build, and a script that takes a moment to end when it is told to. */
const SCRIPT = `
const stop = (signal) => setTimeout(() => { console.log('ended by ' + signal); process.exit(7); }, 200);
process.once('SIGTERM', stop).once('SIGINT', stop);
setInterval(() => undefined, 1_000);
console.log('at work with ' + process.argv.slice(2));
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foldwork-setup-'));
  for (const path of ['tools', 'dist', 'node_modules/node/bin']) mkdirSync(join(folder, path), { recursive: true });
  copyFileSync(join(__dirname, 'setup.mjs'), join(folder, 'tools/setup.mjs'));
  symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'));
  for (const path of ['package-lock.json', 'node_modules/.package-lock.json']) writeFileSync(join(folder, path), '{"packages":{}}');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { 'wait:run': 'node wait.cjs' } }));
  writeFileSync(join(folder, 'wait.cjs'), SCRIPT);
  writeFileSync(join(folder, 'dist/.built'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly child: ChildProcess;
  output(): string;
}

/** In a process group of its own, like a job of a terminal. */
const run = async (program: string, args: readonly string[]): Promise<Run> => {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!output.includes('at work')) await once(child.stdout ?? child, 'data');
  return { child, output: () => output };
};
const SETUP = ['tools/setup.mjs', 'wait:run', 'a', 'b'];

it('passes on what tells it to stop, waits for the end and ends the same way', async () => {
  const { child, output } = await run(process.execPath, SETUP);
  child.kill('SIGTERM');
  await once(child, 'close');
  expect([child.exitCode, output()]).toEqual([7, 'at work with a,b\nended by SIGTERM\n']);
});

it('stays until the script has ended when Ctrl-C reaches both', async () => {
  const { child, output } = await run(process.execPath, SETUP);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  await once(child, 'close');
  expect([child.exitCode, output()]).toEqual([7, 'at work with a,b\nended by SIGINT\n']);
});

it('ends the script when the shell that npm put in front of it is gone', async () => {
  const { child, output } = await run('/bin/sh', ['-c', `'${process.execPath}' ${SETUP.join(' ')}; true`]);
  child.kill('SIGTERM');
  await once(child, 'close'); // the pipe closes with the last that holds it
  expect(output()).toBe('at work with a,b\nended by SIGTERM\n');
});
