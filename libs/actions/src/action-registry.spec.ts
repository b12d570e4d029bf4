import { z } from 'zod';
import * as mini from 'zod/mini';
import { z as z3 } from 'zod/v3';
import type { Action } from './action';
import { ActionRegistry, parseInput } from './action-registry';
import { ActionInvalid, defineAction } from './define-action';

const action = (more: object = {}): Action<never> => ({ name: 'shop.upload', effect: 'once', run: () => null, ...more }) as unknown as Action<never>;

it.each([
  ['no name', { name: undefined }, 'the name needs'],
  ['an empty name', { name: '' }, 'the name needs'],
  ['a name with a blank', { name: 'a b' }, 'the name needs'],
  ['a name that is too long', { name: 'x'.repeat(129) }, 'the name needs'],
  ['an unknown effect', { effect: 'twice' }, 'effect is one of none, idempotent, keyed, once, not twice'],
  ['no run', { run: undefined }, 'run must be a function'],
  ['a verify that is no function', { verify: true }, 'verify must be a function'],
  ['an input that is no schema', { input: 'string' }, 'input must be'],
])('refuses an action with %s', (_case, more, message) => {
  expect(() => defineAction(action(more))).toThrow(ActionInvalid);
  expect(() => defineAction(action(more))).toThrow(message);
});

it('refuses a name that is taken', () => {
  const registry = new ActionRegistry().register(action());
  expect(() => registry.register(action())).toThrow('the name is taken');
  expect(registry.get('shop.upload')).toBeDefined();
  expect(registry.get('other')).toBeUndefined();
});

it.each([
  ['that is no JSON Schema', { type: 'nonsense' }, 'type'],
  ['with a pattern that nobody can apply', { type: 'string', pattern: '(' }, '('],
  ['of another zod', z3.object({ size: z3.number() }), 'version 4'],
])('refuses an input schema %s', (_case, input, problem) => {
  const register = (): unknown => new ActionRegistry().register(action({ input }));
  expect(register).toThrow(ActionInvalid);
  expect(register).toThrow(problem);
});

it('tells what definitions are checked against, schemas as JSON Schema of the input', () => {
  const registry = new ActionRegistry()
    .register(action())
    .register(action({ name: 'zod', effect: 'none', input: z.object({ size: z.number().default(1) }), verify: () => ({ applied: true }) }))
    .register(action({ name: 'schema', effect: 'none', input: { type: 'object' } }));
  const [plain, zod, schema] = registry.entries();
  expect(plain).toEqual({ name: 'shop.upload', effect: 'once', verify: false });
  expect(JSON.parse(zod?.inputSchema ?? '')).toMatchObject({ type: 'object', properties: { size: { type: 'number' } } });
  expect(JSON.parse(zod?.inputSchema ?? '').required).toBeUndefined(); // a default fills it
  expect(zod?.verify).toBe(true);
  expect(schema?.inputSchema).toBe('{"type":"object"}');
});

it.each([
  ['no schema', undefined, { any: 1 }, { value: { any: 1 } }],
  ['a zod schema, with its defaults', z.object({ n: z.number(), m: z.number().default(2) }), { n: 1 }, { value: { n: 1, m: 2 } }],
  ['a zod schema that is not met', z.object({ n: z.number() }), { n: 'x' }, { faults: [expect.stringMatching(/^n: /)] }],
  ['a zod schema that is not met as a whole', z.string(), 7, { faults: [expect.stringMatching(/^input: /)] }],
  ['a schema of zod/mini', mini.object({ n: mini.number(), m: mini._default(mini.number(), 2) }), { n: 1 }, { value: { n: 1, m: 2 } }],
  ['a schema of zod/mini that is not met', mini.object({ n: mini.number() }), { n: 'x' }, { faults: [expect.stringMatching(/^n: /)] }],
  ['a JSON Schema', { type: 'object', required: ['n'] }, { n: 1 }, { value: { n: 1 } }],
  ['a JSON Schema that is not met', { type: 'object', required: ['n'] }, {}, { faults: [expect.stringContaining('n')] }],
])('parses an input by %s', (_case, input, given, expected) => {
  expect(parseInput(action(input === undefined ? {} : { input }), given)).toEqual(expected);
});
