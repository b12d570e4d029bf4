import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkTypeScript } from '@foldwork/testing';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foldwork-actions-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = async (...paths: string[]): Promise<unknown> => {
  const child = forkTypeScript(join(__dirname, 'load-actions.process.ts'), [folder, ...paths]);
  const [answer] = (await once(child, 'message')) as [unknown];
  if (child.exitCode === null) await once(child, 'exit');
  return answer;
};

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

const ONE = `{ name: 'one', effect: 'none', run: () => 1 }`;

it.each([
  ['an ES module with a default list', 'list.mjs', `export default [${ONE}];`],
  ['an ES module with a list named actions', 'named.mjs', `export const actions = [${ONE}];`],
  ['a function that is given the tools', 'factory.mjs', `export default ({ defineAction, z }) => [defineAction({ ...${ONE}, input: z.object({}) })];`],
  ['a function that takes its time', 'slow.mjs', `export default async () => [${ONE}];`],
  ['a promise of a list', 'promise.mjs', `export default Promise.resolve([${ONE}]);`],
  ['a CommonJS module', 'list.cjs', `module.exports = { actions: [${ONE}] };`],
  ['a CommonJS module that is a list', 'plain.cjs', `module.exports = [${ONE}];`],
  ['a TypeScript module', 'typed.mts', `interface Input { readonly size: number }\nexport default [{ name: 'one', effect: 'none' as const, run: (input: Input): number => input.size }];`],
])('loads %s', async (_case, name, text) => {
  expect(await load(write(name, text))).toEqual(['one none']);
});

it('loads several modules in their order', async () => {
  const first = write('first.mjs', `export default [{ name: 'b', effect: 'once', run() {} }];`);
  expect(await load(first, write('second.mjs', `export default [${ONE}];`))).toEqual(['b once', 'one none']);
});

it.each([
  ['that is not there', 'nowhere.mjs', undefined, 'there is no such file'],
  ['with a syntax error', 'syntax.mjs', 'export default [', 'does not load'],
  ['that throws', 'throws.mjs', `throw new Error('no database here');`, 'no database here'],
  ['whose function throws', 'rejects.mjs', `export default async () => { throw new Error('no key'); };`, 'no key'],
  ['that waits for ever', 'waits.mjs', 'setInterval(() => {}, 1_000).unref(); await new Promise(() => {});', 'has not loaded within 5 s'],
  ['without a list', 'number.mjs', 'export default 7;', 'export a list of actions'],
  ['that is its own default', 'own.cjs', 'module.exports = {}; module.exports.default = module.exports;', 'export a list of actions'],
  ['whose function gives itself', 'itself.mjs', 'export default function again() { return again; }', 'export a list of actions'],
  ['with something that is no action', 'odd.mjs', 'export default [null];', 'element 1'],
  ['with a bad name', 'name.mjs', `export default [{ ...${ONE}, name: 'a b' }];`, 'the name needs'],
])('says what is wrong with a module %s', async (_case, name, text, message) => {
  if (text !== undefined) write(name, text);
  const answer = await load(name);
  expect(answer).toMatch(/^ActionInvalid: /);
  expect(answer).toContain(message);
});

it('names a module that ends the process', async () => {
  const hook = join(__dirname, '../../testing/src/processes/typescript-hook.cjs');
  const { status, stderr } = spawnSync(process.execPath, ['-r', hook, join(__dirname, 'load-actions.process.ts'), folder, write('exits.mjs', 'process.exit(3);')], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([3, `action ${join(folder, 'exits.mjs')}: the module ended the process while it was loaded\n`]);
});
