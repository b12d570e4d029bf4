import fc from 'fast-check';
import { stringifyJson } from '@foldwork/events/contracts';
import { parseJsonText } from './json-body';
import { scanJsonText } from './json-text';

/** How deep a value is and how many members its objects have, by walking it. */
const measure = (value: unknown): { depth: number; members: number } => {
  if (typeof value !== 'object' || value === null) return { depth: 0, members: 0 };
  const inner = Object.values(value).map(measure);
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return { depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)), members: own + inner.reduce((sum, { members }) => sum + members, 0) };
};

describe('scanJsonText', () => {
  it('sees in the text what walking the value finds, whatever stands in its strings', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
      expect(scanJsonText(JSON.stringify(value, undefined, indent))).toEqual(measure(JSON.parse(JSON.stringify(value))));
    }));
  });

  it('is not led astray by brackets, colons, quotes and backslashes inside strings', () => {
    expect(scanJsonText('{"a\\"{[:":"]}\\\\","b":["\\\\\\""]}')).toEqual({ depth: 2, members: 2 });
  });
});

describe('parseJsonText', () => {
  it('gives back any I-JSON value as it came', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(text.isWellFormed() && !/\\u0000|\\ud[89a-f]|__proto__/i.test(text));
      expect(JSON.parse(stringifyJson(parseJsonText(text)))).toEqual(JSON.parse(text));
    }));
  });

  it('finds a key that stands twice at any depth', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer(), { minKeys: 1 }), fc.nat(5), (members, depth) => {
      const object = JSON.stringify(members);
      const doubled = `${object.slice(0, -1)},${JSON.stringify(Object.keys(members)[0])}:0}`;
      const wrap = (text: string): string => '[{"x":'.repeat(depth) + text + '}]'.repeat(depth);
      expect(() => parseJsonText(wrap(object))).not.toThrow();
      expect(() => parseJsonText(wrap(doubled))).toThrow(/same key twice/);
    }));
  });
});
