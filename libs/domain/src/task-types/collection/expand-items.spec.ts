import { ExactNumber } from '@foldwork/events/contracts';
import { expandItems } from './expand-items';

describe('what a collection runs over', () => {
  it.each([
    ['a list', [1, 'b', null], [1, 'b', null]],
    ['JSON text of a list', '[1, {"a": 2}]', [1, { a: 2 }]],
    ['JSON text of a map', '{"b": 1, "a": 2}', [{ key: 'a', value: 2 }, { key: 'b', value: 1 }]],
    ['a range', '1..3', [1, 2, 3]],
    ['a range downwards', '3..1', [3, 2, 1]],
    ['a range of letters', 'a..c', ['a', 'b', 'c']],
    ['a map, sorted by key', { b: 1, a: 2 }, [{ key: 'a', value: 2 }, { key: 'b', value: 1 }]],
    ['a number', 7, [7]],
    ['a text', 'seven', ['seven']],
    ['true', true, [true]],
    ['an exact number', new ExactNumber('9007199254740993'), [new ExactNumber('9007199254740993')]],
    ['null', null, []],
    ['text that only looks like JSON', '[not json', ['[not json']],
  ])('[S3-31] %s', (_name, value, expected) => expect(expandItems(value as never)).toEqual(expected));

  it.each([['1..10001'], ['-5000..5001'], [Array.from({ length: 10_001 }, () => 0)]])('[S3-31] refuses more than 10,000 items (%#)', (value) =>
    expect(() => expandItems(value as never)).toThrow(expect.objectContaining({ code: 'expression_limit' })));
});
