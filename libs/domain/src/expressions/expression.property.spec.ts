import { parseJson, stringifyJson, type Json } from '@foldwork/events/contracts';
import fc from 'fast-check';
import { compileExpression } from './expression';
import { ExpressionError } from './expression-error';
import { compileTemplate } from './template';

const json = fc.jsonValue({ depthSize: 'small' }).map((value) => parseJson(JSON.stringify(value)));
const escape = (value: Json): Json => {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${'); // as a plain replacement $$ would mean one $
  if (Array.isArray(value)) return value.map(escape);
  if (typeof value !== 'object' || value === null || 'text' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escape(member as Json)]));
};

describe('expressions', () => {
  it('pass any value through unchanged, by path and by evaluator', () => {
    fc.assert(
      fc.property(json, (value) => {
        const scope = { input: { value } };
        const expected = stringifyJson(value);
        expect(stringifyJson(compileExpression('input.value').evaluate(scope))).toBe(expected);
        expect(stringifyJson(compileExpression('[input.value][0]').evaluate(scope))).toBe(expected);
        expect(stringifyJson(compileExpression('true ? dyn(input.value) : null').evaluate(scope))).toBe(expected);
      }),
    );
  });

  it('render text without expressions as it is, once $${ is undone', () => {
    fc.assert(
      fc.property(json, (value) => {
        const template = compileTemplate(escape(value));
        expect(stringifyJson(template.evaluate({}))).toBe(stringifyJson(value));
      }),
      { examples: [['${'], ['$${ a ${ b']] },
    );
  });

  it('calculate with whole numbers as exactly as BigInt does', () => {
    const whole = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
    fc.assert(
      fc.property(whole, whole, fc.constantFrom('+', '-'), (left, right, operator) => {
        const scope = { input: parseJson(`{"a":${left},"b":${right}}`) };
        const expected = operator === '+' ? left + right : left - right;
        if (expected > 2n ** 63n - 1n || expected < -(2n ** 63n)) return;
        expect(stringifyJson(compileExpression(`input.a ${operator} input.b`).evaluate(scope))).toBe(String(expected));
        expect(compileExpression('input.a < input.b').evaluate(scope)).toBe(left < right);
        expect(compileExpression('input.a == input.b').evaluate(scope)).toBe(left === right);
      }),
    );
  });

  it('never throw anything but ExpressionError, whatever the text', () => {
    const words = ['input', '.', 'a', '[', ']', '(', ')', '1', '"x"', '+', '-', '*', '/', '==', '<', 'in', 'has', 'map', '?', ':', ',', '{', '}', ' ', '!', '&&', '||', 'tasks', '.?', 'size', '2.5', 'null', 'true', "'", '\\', 'b"', 'x', 'exists', 'dyn', 'type', '0u'];
    const scope = { input: { a: [1, 'x', { b: null }], x: 1 }, tasks: {}, x: 2 };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 14 }), (parts) => {
        try {
          const expression = compileExpression(parts.join(''));
          expect(typeof stringifyJson(expression.evaluate(scope))).toBe('string');
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
