import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineAction, type Action } from '@foldwork/actions';
import type { Json } from '@foldwork/events';
import { openSecretFolder } from '../src/secrets/secret-folder';
import { actionList, ExecutorWorld } from './executor-world';

const SECRET = 'hunter2/and+more';
let world: ExecutorWorld;
let folder: string;
let seen: Json[];

beforeEach(async () => {
  world = await ExecutorWorld.open();
  folder = mkdtempSync(join(tmpdir(), 'foldwork-secrets-'));
  writeFileSync(join(folder, 'shop-token'), `${SECRET}\n`);
  mkdirSync(join(folder, 'a-folder'));
  seen = [];
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

/** Leaks what it got in every way that an action has. */
const leaky = (fails: boolean): Action<Json> =>
  defineAction({
    name: 'leak',
    effect: 'idempotent',
    input: { type: 'object', properties: { token: { type: 'string' } } },
    run: async (input, context) => {
      seen.push(input);
      const spellings = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64')].join(' ');
      context.log(`token ${spellings}`, { fields: { token: spellings } });
      await context.recordSideEffect({ token: spellings });
      if (fails) throw Object.assign(new Error(`refused: ${spellings}`));
      return { spellings, [SECRET]: true };
    },
  });

const runWith = async (action: Action<Json>, task: object, input: Json = {}): Promise<string> => {
  await world.start(actionList(action), {}, { secrets: await openSecretFolder(folder) });
  const runId = await world.request([{ id: 'a', action: 'leak', retry: { maximumAttempts: 1 }, ...task }], input);
  await world.finish(runId);
  const rows = await world.log.readRuns([runId]);
  return rows.map(({ data }) => data).join('\n') + JSON.stringify(world.lines);
};

it.each([false, true])('puts a secret in just before the action runs, and leaves no trace of it (failing: %s)', async (fails) => {
  const left = await runWith(leaky(fails), { with: { token: { $secret: 'shop-token' }, list: [{ $secret: 'shop-token' }], name: 'kept' } });
  expect(seen).toEqual([{ token: SECRET, list: [SECRET], name: 'kept' }]);
  for (const spelling of [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64')]) expect(left).not.toContain(spelling);
  expect(left).toContain('*** *** ***');
  expect(left).toContain('{"$secret":"shop-token"}'); // the recorded input names it
});

it('gives an undo its secrets too, and leaves no trace of them when it fails', async () => {
  const echo = defineAction<Json>({ name: 'echo', effect: 'idempotent', run: (input) => input });
  const stop = defineAction<Json>({ name: 'stop', effect: 'none', run: () => Promise.reject(new Error('no')) });
  await world.start(actionList(leaky(true), echo, stop), {}, { secrets: await openSecretFolder(folder) });
  const once = { retry: { maximumAttempts: 1 } };
  const undo = { action: 'leak', with: { token: { $secret: 'shop-token' } } };
  const runId = await world.request([{ id: 'a', action: 'echo', undo, ...once }, { id: 'b', action: 'stop', ...once }], {}, { rollback: 'onFailure' });
  expect(await world.finish(runId)).toMatchObject({ status: 'failed', error: { code: 'ROLLBACK_FAILED', message: expect.stringContaining('refused: *** *** ***') } });
  expect(seen).toEqual([{ token: SECRET }]);
  const left = (await world.log.readRuns([runId])).map(({ data }) => data).join('\n') + JSON.stringify(world.lines);
  for (const spelling of [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64')]) expect(left).not.toContain(spelling);
});

it.each(['absent', 'a-folder', '../shop-token', ''])('fails clearly when there is no secret %p', async (name) => {
  const left = await runWith(leaky(false), { with: { token: { $secret: name } } });
  expect(seen).toEqual([]);
  expect(left).toContain('SECRET_UNKNOWN');
});

it('never resolves a reference that came in as data', async () => {
  const reference = { $secret: 'shop-token' };
  await runWith(leaky(false), { with: { token: 'none', given: '${ input.given }', whole: '${ input }' } }, { given: reference });
  expect(seen).toEqual([{ token: 'none', given: reference, whole: { given: reference } }]);
});

it('checks the input with the secret in its place', async () => {
  writeFileSync(join(folder, 'empty'), '');
  const strict = { ...leaky(false), input: { type: 'object', properties: { token: { type: 'string', minLength: 5 } } } };
  const left = await runWith(strict, { with: { token: { $secret: 'empty' } } });
  expect(seen).toEqual([]);
  expect(left).toContain('INPUT_INVALID');
});

it('says at the start that the folder is not there', async () => {
  await expect(openSecretFolder(join(folder, 'nowhere'))).rejects.toThrow('FOLDWORK_SECRETS_DIR');
  await expect(openSecretFolder(join(folder, 'shop-token'))).rejects.toThrow('is not a folder');
});
