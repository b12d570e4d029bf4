import { ExactNumber, parseJson, type Json } from '@foldwork/events/contracts';
import { compileExpression, evaluateBoolean, type Scope } from './expression';
import { ExpressionError } from './expression-error';

const evaluate = (source: string, scope: Scope = {}): Json => compileExpression(source).evaluate(scope);
const failure = (work: () => unknown): ExpressionError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};
const codeOf = (source: string, scope: Scope = {}): string => failure(() => evaluate(source, scope)).code;

describe('compileExpression', () => {
  const input = { n: 5, half: 2.5, name: 'Ada', list: [3, 1, 2], tags: ['b', 'a', 'b'], nested: { deep: { id: 'x' } }, flag: true, none: null };

  it.each<[string, Json]>([
    ['input.n + 1', 6],
    ['1 + input.n', 6],
    ['input.n * input.half', 12.5],
    ['input.n / 2', 2.5],
    ['7 / 2', 3],
    ['input.n % 2', 1],
    ['-input.n', -5],
    ['input.n == 5 && 5 == input.n', true],
    ['input.n in [5, 6]', true],
    ['input.n > 4.5 ? "big" : "small"', 'big'],
    ['input.list[input.n - 5]', 3],
    ['input.list[0] + input.list[1]', 4],
    ['input.nested["deep"].id', 'x'],
    ['{"a": input.n, "b": [1, input.name]}', { a: 5, b: [1, 'Ada'] }],
    ['input.list.map(x, x * 2)', [6, 2, 4]],
    ['input.list.filter(x, x > 1).size()', 2],
    ['input.list.exists(x, x == 2) && input.list.all(x, x > 0)', true],
    ['has(input.nested.deep) && !has(input.nested.other)', true],
    ['input.?other.orValue("none")', 'none'],
    ['sum(input.list) + input.list.sum()', 12],
    ['min(input.list)', 1],
    ['input.list.max()', 3],
    ['sort(input.list)', [1, 2, 3]],
    ['input.tags.distinct()', ['b', 'a']],
    ['flatten([[1, 2], [3], 4])', [1, 2, 3, 4]],
    ['join(input.tags, "-")', 'b-a-b'],
    ['input.tags.join("-")', 'b-a-b'],
    ['input.list.join(",")', '3,1,2'],
    ['input.name.matches("^A.a$")', true],
    ['string(input.n) + "%"', '5%'],
    ['cel.bind(x, input.n + 1, x * x)', 36],
    ['input.none == null', true],
    ['timestamp("2026-01-01T00:00:00Z") + duration("1h")', '2026-01-01T01:00:00.000Z'],
    ['size(input)', 8],
    ['1u + 2u', 3],
  ])('evaluates %s', (source, expected) => {
    expect(evaluate(source, { input })).toEqual(expected);
  });

  it('keeps integers beyond 2^53 and long decimals exactly', () => {
    const exact = parseJson('{"id":9007199254740993,"price":0.12345678901234567891,"list":[9007199254740993,1]}');
    const scope = { input: exact };
    expect(evaluate('input.id', scope)).toEqual(new ExactNumber('9007199254740993'));
    expect(evaluate('input.id + 1', scope)).toEqual(new ExactNumber('9007199254740994'));
    expect(evaluate('true ? input.id : 0', scope)).toEqual(new ExactNumber('9007199254740993'));
    expect(evaluate('[input.price, input.id]', scope)).toEqual([new ExactNumber('0.12345678901234567891'), new ExactNumber('9007199254740993')]);
    expect(evaluate('input.id == 9007199254740993 && input.id != 9007199254740992', scope)).toBe(true);
    expect(evaluate('9007199254740993 in input.list', scope)).toBe(true);
    expect(evaluate('input.list.map(x, x + 1)', scope)).toEqual([new ExactNumber('9007199254740994'), 2]);
    expect(evaluate('input.price > 0.1 && input.price < 1', scope)).toBe(true);
    expect(evaluate('string(input.price)', scope)).toBe('0.12345678901234567891');
    expect(evaluate('max(input.list)', scope)).toEqual(new ExactNumber('9007199254740993'));
    expect(evaluate('9007199254740991 + input.one', { input: { one: 2 } })).toEqual(new ExactNumber('9007199254740993'));
    expect(evaluate('input.a + input.b', { input: { a: 9007199254740991, b: 2 } })).toEqual(new ExactNumber('9007199254740993'));
  });

  it('names what is missing and where', () => {
    const scope = { input: { a: { b: 1 } }, tasks: {} };
    expect(failure(() => evaluate('input.a.c.d', scope))).toMatchObject({ code: 'expression_undefined', path: 'input.a.c' });
    expect(failure(() => evaluate('1 + input.a.c', scope))).toMatchObject({ code: 'expression_undefined', path: 'input.a.c' });
    expect(failure(() => evaluate('tasks.x.output', scope))).toMatchObject({ path: 'tasks.x' });
    expect(failure(() => evaluate('input.a.b + nope', scope))).toMatchObject({ code: 'expression_undefined', path: 'nope', position: 12 });
    expect(failure(() => evaluate('nope.a', scope))).toMatchObject({ code: 'expression_undefined', path: 'nope', position: 0 });
  });

  it.each([
    ['1 +', 'expression_syntax'],
    ['"abc', 'expression_syntax'],
    ['a..b', 'expression_syntax'],
    ['', 'expression_syntax'],
    ['1 + "a"', 'expression_type'],
    ['unknown(1)', 'expression_undefined'],
    ['"a".nope()', 'expression_undefined'],
  ])('refuses %s when it is compiled', (source, code) => {
    expect(failure(() => compileExpression(source)).code).toBe(code);
  });

  it.each([
    ['input.name + 1', 'expression_type'],
    ['input.name < 1', 'expression_type'],
    ['input.n / 0', 'expression_error'],
    ['1 / 0', 'expression_error'],
    ['int("x")', 'expression_error'],
    ['input.list[7]', 'expression_undefined'],
    ['min([])', 'expression_error'],
    ['sort(input.mixed)', 'expression_type'],
    ['"a".matches("(")', 'expression_error'],
    ['type(1)', 'expression_type'],
    ['1.0 / 0.0', 'expression_type'],
  ])('ends %s in %s', (source, code) => {
    expect(codeOf(source, { input: { name: 'Ada', n: 1, list: [1], mixed: [1, 'a'] } })).toBe(code);
  });

  it('tells what an expression reads', () => {
    const { references } = compileExpression('tasks.a.output.id + tasks["b"].status + input.list.map(x, x + item)[0] + (has(env.z) ? 1 : 0)');
    expect([...references.variables].sort()).toEqual(['env', 'input', 'item', 'tasks']);
    expect([...references.tasks]).toEqual(['a', 'b']);
    expect(references.allTasks).toBe(false);
    expect(compileExpression('tasks[input.x].output').references.allTasks).toBe(true);
    expect(compileExpression('tasks').references.allTasks).toBe(true);
    expect(compileExpression('has(tasks.c.output)').references.uses).toEqual([
      { variable: 'tasks', segments: ['c', 'output'], position: 4, isOptional: true },
    ]);
  });

  it('accepts only true and false as a condition', () => {
    expect(evaluateBoolean(compileExpression('input.n > 1'), { input })).toBe(true);
    expect(failure(() => evaluateBoolean(compileExpression('input.n'), { input })).code).toBe('expression_type');
  });

  it('reads only the variables it refers to', () => {
    const scope = {
      get tasks(): Json {
        throw new Error('read');
      },
      input: { a: 1 },
    };
    expect(evaluate('input.a + 1', scope)).toBe(2);
    expect(evaluate('input.a', scope)).toBe(1);
  });
});
