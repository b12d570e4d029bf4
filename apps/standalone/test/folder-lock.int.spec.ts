import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkTypeScript } from '@foldwork/testing';

const ROUNDS = 300;
const IN_USE = /^another Foldwork \((process \d*|just started)\) uses .* FOLDWORK_DATA_DIR of its own$/;

let folder: string;
let takers: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'foldwork-lock-'));
  chmodSync(folder, 0o777); // takers are nobody in particular
  takers = Array.from({ length: 4 }, () => forkTypeScript(join(__dirname, 'lock-taker.process.ts')));
});
afterEach(async () => {
  for (const taker of takers) await kill(taker);
  rmSync(folder, { recursive: true });
});

const kill = async (taker: ChildProcess): Promise<void> => {
  const exit = once(taker, 'exit');
  taker.kill('SIGKILL');
  await exit;
};

const ask = async (taker: ChildProcess, message: string): Promise<string> => {
  const answer = once(taker, 'message');
  taker.send(message);
  return String(((await answer) as [unknown])[0]);
};
const askAll = (message: string): Promise<string[]> => Promise.all(takers.map((taker) => ask(taker, message)));

it('is given to one of those that ask at the same moment; the others are told what to do', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const refused = (await askAll(folder)).filter((answer) => answer !== 'held');
    expect(refused).toEqual(Array(takers.length - 1).fill(expect.stringMatching(IN_USE)));
    await askAll('');
  }
}, 60_000);

it('ends with its process, and names it until then', async () => {
  for (let left = takers.length; left > 1; left -= 1) {
    const [holder, ...others] = takers as [ChildProcess, ...ChildProcess[]]; // `left` of them
    expect(await ask(holder, folder)).toBe('held');
    for (const other of others) expect(await ask(other, folder)).toContain(`another Foldwork (process ${String(holder.pid)})`);
    await kill(holder);
    takers = others;
  }
});

it.each([
  ['cannot be written', (file: string) => writeFileSync(file, '', { mode: 0o444 })],
  ['is something else', (file: string) => writeFileSync(file, 'not a lock', { mode: 0o666 })],
])('is given to nobody where its file %s; they are told which folder', async (_what, spoil) => {
  spoil(join(folder, 'lock.sqlite'));
  expect(await askAll(folder)).toEqual(takers.map(() => expect.stringContaining(`${folder} cannot be locked: `) as string));
});
