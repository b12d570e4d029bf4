import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkTypeScript } from '@foldwork/testing';

const ROUNDS = 150;

let folder: string;
let takers: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'foldwork-lock-'));
  takers = Array.from({ length: 4 }, () => forkTypeScript(join(__dirname, 'lock-taker.process.ts')));
});
afterEach(async () => {
  for (const taker of takers) {
    const exit = once(taker, 'exit');
    taker.kill('SIGKILL');
    await exit;
  }
  rmSync(folder, { recursive: true });
});

const askAll = (message: string): Promise<unknown[]> =>
  Promise.all(takers.map(async (taker) => {
    const answer = once(taker, 'message');
    taker.send(message);
    return ((await answer) as [unknown])[0]; // sent by the process
  }));

it('is given to one of those that find a lock left behind at the same moment', async () => {
  const holders: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    writeFileSync(join(folder, 'foldwork.lock'), '999999999 1');
    holders.push((await askAll(folder)).filter((answer) => answer === 'held').length);
    await askAll('');
  }
  expect(holders).toEqual(Array<number>(ROUNDS).fill(1));
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);
