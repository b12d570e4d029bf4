import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDefinition, parseDefinition } from '../task-types/built-in-language';
import { canonicalJson, definitionHash } from './definition-hash';

const GOOD = readFileSync(join(__dirname, 'corpus/good.workflow.yaml'), 'utf8');

/** Definitions that are right by construction; each task may refer to the one before it. */
const definitions = fc
  .array(fc.record({ kind: fc.nat({ max: 5 }), timeout: fc.constantFrom(undefined, '1m', 5000, '1m30s'), retries: fc.constantFrom(undefined, 0, 3), refers: fc.boolean() }), { minLength: 1, maxLength: 8 })
  .map((tasks) => ({
    workflow: 'generated',
    tasks: tasks.map(({ kind, timeout, retries, refers }, index) => {
      const common = { id: `t${index}`, ...(timeout === undefined ? {} : { timeout }), ...(retries === undefined ? {} : { retries }) };
      const value = refers && index > 0 ? `\${ tasks.t${index - 1}.output }` : index;
      const inner = { id: `i${index}`, type: 'basic', action: 'x', with: value };
      switch (kind) {
        case 0: return { ...common, type: 'basic', action: 'x', with: { value } };
        case 1: return { ...common, type: 'parallel', tasks: [inner, { ...inner, id: `j${index}` }] };
        case 2: return { ...common, type: 'collection', items: 'input.list', each: inner };
        case 3: return { ...common, type: 'composite', tasks: [inner] };
        case 4: return { ...common, type: 'aggregate', outputs: { value } };
        default: return { ...common, type: 'signal', signal: { id: 's', payload: { value } } };
      }
    }),
  }));

describe('definitions', () => {
  it('that are right are accepted, and checking is a fixed point', () => {
    fc.assert(
      fc.property(definitions, (given) => {
        const { definition, diagnostics } = checkDefinition(given);
        expect(diagnostics).toEqual([]);
        if (!definition) return;
        const again = checkDefinition(JSON.parse(canonicalJson(definition as never))).definition;
        expect(again).toEqual(definition);
        expect(again && definitionHash(again)).toBe(definitionHash(definition));
      }),
    );
  });

  it('as text never throw, whatever is changed in a right one, and name each fault once at a place of the text', () => {
    const change = fc.record({ at: fc.nat({ max: GOOD.length - 1 }), length: fc.nat({ max: 12 }), text: fc.constantFrom('', ' ', '\n', ':', '- ', '{', '}', '[', '"', "'", '${', '}', '&a ', '*a', '!x ', '|', '#', '\t', 'null', '0', '\u0000', '\ud800', 'x') });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const text = changes.reduce((changed, { at, length, text: insert }) => changed.slice(0, at) + insert + changed.slice(at + length), GOOD);
        const { definition, diagnostics } = parseDefinition(text);
        const lines = text.split('\n').length;
        expect(definition === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
        expect(new Set(diagnostics.map((each) => JSON.stringify(each))).size).toBe(diagnostics.length);
        for (const { line, column, code, message } of diagnostics) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines + 1);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(code).toMatch(/^[a-z_]+$/);
          expect(message).not.toBe('');
        }
      }),
      { numRuns: 150 },
    );
  });

  it('as any JS value never throw', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }), (value) => expect(checkDefinition(value).definition).toBeUndefined()));
    fc.assert(fc.property(fc.anything(), (tasks) => expect(checkDefinition({ workflow: 'w', tasks: [tasks] }).definition).toBeUndefined()));
  });
});
