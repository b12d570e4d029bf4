import { ExactNumber, type Json } from '@foldwork/events/contracts';
import { schemaFaults, schemaProblem } from './json-schema';
import type { JsonSchema } from './task.definition';

describe('schemaFaults', () => {
  it('lists what a value violates', () => {
    const schema = { type: 'object', required: ['id'], properties: { id: { type: 'integer' }, when: { type: 'string', format: 'date-time' } }, additionalProperties: false };
    expect(schemaFaults(schema, { id: 1, when: '2026-11-30T08:00:00Z' })).toEqual([]);
    expect(schemaFaults(schema, { when: 'soon', extra: 1 })).toEqual([
      "(whole value) must have required property 'id'",
      '(whole value) must NOT have additional properties "extra"',
      '/when must match format "date-time"',
    ]);
  });

  it('sees exact numbers as numbers, at any depth', () => {
    const schema = { type: 'array', items: { type: 'integer' } };
    expect(schemaFaults(schema, [new ExactNumber('9007199254740993')])).toEqual([]);
    expect(schemaFaults({ type: 'number' }, new ExactNumber('0.12345678901234567890'))).toEqual([]);
  });

  it('accepts both dialects, and one $id in two workflows', () => {
    expect(schemaFaults({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'array', prefixItems: [{ type: 'string' }] }, [1])).toEqual(['/0 must be string']);
    expect(schemaFaults({ $schema: 'http://json-schema.org/draft-07/schema#', $id: 'x', type: 'string' }, 1)).toEqual(['(whole value) must be string']);
    expect(schemaFaults({ $id: 'x', type: 'number' }, 1)).toEqual([]);
    expect(schemaFaults(true, 1)).toEqual([]);
    expect(schemaFaults(false, 1)).toHaveLength(1);
  });

  it('follows references inside the schema, recursion too', () => {
    const tree = { type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#' }, value: { type: 'number' } } };
    expect(schemaFaults(tree, { left: { right: { value: 'x' } } })).toEqual(['/left/right/value must be number']);
  });

  it('compares unique items in linear time', () => {
    const items = Array.from({ length: 20_000 }, (_, n) => ({ a: { n } }));
    const schema = { type: 'array', uniqueItems: true };
    const begin = performance.now();
    expect(schemaFaults(schema, items)).toEqual([]);
    expect(schemaFaults(schema, [...items, { a: { n: 7 } }])).toEqual(['(whole value) must NOT have duplicate items']);
    expect(schemaFaults(schema, [{ a: 1, b: 2 }, { b: 2, a: 1 }])).toHaveLength(1);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  it('matches patterns in linear time', () => {
    const begin = performance.now();
    expect(schemaFaults({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`)).toHaveLength(1);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  const deep = (depth: number): JsonSchema => (depth === 0 ? { type: 'string' } : { properties: { a: deep(depth - 1) as Json } });
  it.each<[string, JsonSchema, RegExp]>([
    ['a remote reference', { $ref: 'https://example.org/x.json' }, /only references into the schema/],
    ['a reference to nothing', { $ref: '#/definitions/x' }, /resolve/],
    ['a deep schema', deep(40), /levels deep/],
    ['a large schema', { enum: [], allOf: Array.from({ length: 6000 }, () => ({ type: 'string' })) }, /more than 5000 parts/],
    ['recursion that doubles', { properties: { x: { anyOf: [{ $ref: '#' }, { allOf: [{ $ref: '#' }, { type: 'object' }] }] } } }, /more than once/],
    ['an unknown type', { type: 'strin' }, /type/],
    ['$async', { $async: true }, /not allowed/],
    ['$data', { properties: { a: { maximum: { $data: '1/b' } } } }, /not allowed/],
    ['an inner $id', { properties: { a: { $id: 'y' } } }, /at the top only/],
    ['a back reference', { pattern: '(a)\\1' }, /./],
    ['code in a property name', { properties: { '"];process.exit();//': { type: 'strin' } } }, /type/],
  ])('refuses %s', (_title, schema, message) => expect(schemaProblem(schema)).toMatch(message));

  it('survives property names that look like code or prototypes', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"},"\'];throw 1;//":{"type":"string"}},"required":["toString"]}') as JsonSchema;
    expect(schemaProblem(schema)).toBeUndefined();
    expect(schemaFaults(schema as Json, { constructor: 1 } as unknown as Json).length).toBeGreaterThanOrEqual(0);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
