import { ExactNumber, parseJson, stringifyJson, type Json } from '@foldwork/events/contracts';
import { compileExpression, evaluateBoolean, type Scope } from './expression';
import { ExpressionError } from './expression-error';
import { compileTemplate } from './template';

const failure = (work: () => unknown): ExpressionError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};
const render = (value: Json, scope: Scope = {}): Json => compileTemplate(value).evaluate(scope);
const scope: Scope = { input: { n: 5, flag: true, none: null, list: [1, 2], map: { a: 1 }, name: 'Ada' }, tasks: { a: { output: {} } } };

describe('compileTemplate', () => {
  it('[S3-50] keeps the type of a lone ${ }, makes text of mixed strings, reads $${ as text, and names path and position of a missing key', () => {
    expect(render('${ input.n }', scope)).toBe(5);
    expect(render('${ input.flag }', scope)).toBe(true);
    expect(render('${ input.none }', scope)).toBeNull();
    expect(render('${ input.list }', scope)).toEqual([1, 2]);
    expect(render('${ {"a": input.n} }', scope)).toEqual({ a: 5 });
    expect(render('${input.n}', scope)).toBe(5);

    expect(render('n=${ input.n }', scope)).toBe('n=5');
    expect(render(' ${ input.n }', scope)).toBe(' 5');
    expect(render('${ input.n }${ input.n }', scope)).toBe('55');
    expect(render('${ input.name }: ${ input.list } ${ input.map } ${ input.none } ${ input.flag }', scope)).toBe('Ada: [1,2] {"a":1} null true');

    expect(render('$${ input.n }', scope)).toBe('${ input.n }');
    expect(render('a $${ b } ${ input.n } $${', scope)).toBe('a ${ b } 5 ${');
    expect(render('costs 5$ or $5 {ok}', scope)).toBe('costs 5$ or $5 {ok}');

    const lone = failure(() => render({ images: [{ id: '${ tasks.a.output.id }' }] }, scope));
    expect(lone).toMatchObject({ code: 'expression_undefined', path: 'tasks.a.output.id', pointer: 'images[0].id', position: 3 });
    expect(lone.message).toBe('No such key: tasks.a.output.id (at "images[0].id", position 3)');
    const mixed = failure(() => render({ text: 'Hello ${ "x" + input.missing }!' }, scope));
    expect(mixed).toMatchObject({ code: 'expression_undefined', path: 'input.missing', pointer: 'text' });
    expect(mixed.message).toContain('No such key: input.missing (at "text", position ');
    expect(failure(() => render('${ nope }', scope))).toMatchObject({ code: 'expression_undefined', path: 'nope', position: 3 });
  });

  it('[S3-51] ends in an error: undeclared name, type mismatch, missing field without has(), over-cost, canceled, and a condition that is not boolean', () => {
    const evaluate = (source: string): Json => compileExpression(source).evaluate(scope);
    expect(failure(() => evaluate('unheardOf + 1')).code).toBe('expression_undefined');
    expect(failure(() => evaluate('unheardOf(1)')).code).toBe('expression_undefined');
    expect(failure(() => evaluate('1 + "a"')).code).toBe('expression_type');
    expect(failure(() => evaluate('input.name + 1')).code).toBe('expression_type');
    expect(failure(() => evaluate('input.missing == 1')).code).toBe('expression_undefined');
    expect(evaluate('has(input.missing) && input.missing == 1')).toBe(false);

    const loop = compileExpression('l.map(x, l.map(y, l.map(z, x + y + z))).size() >= 0 || true');
    expect(failure(() => loop.evaluate({ l: Array.from({ length: 500 }, () => 1) })).code).toBe('expression_limit');
    let asked = 0;
    const canceled = failure(() => compileExpression('l.all(x, l.all(y, x == y)) || true').evaluate({ l: Array.from({ length: 200 }, () => 1) }, () => ++asked > 3));
    expect(canceled).toMatchObject({ code: 'expression_error', message: 'The evaluation was canceled' });
    expect(asked).toBe(4);

    for (const source of ['input.n', 'input.name', 'input.none', '"true"', 'input.list']) {
      expect(failure(() => evaluateBoolean(compileExpression(source), scope)).code).toBe('expression_type');
    }
  });

  it('leaves constants alone', () => {
    const value: Json = { a: [1, 'x', null, true], secret: { $secret: 'name' }, dollar: '$${ x }' };
    const template = compileTemplate(value);
    expect(template.isConstant).toBe(true);
    expect(template.references.variables.size).toBe(0);
    expect(template.evaluate({})).toEqual({ ...value, dollar: '${ x }' });
  });

  it('finds the end of an expression behind braces and quotes', () => {
    expect(render('${ {"a": {"b": 1}}.a.b }')).toBe(1);
    expect(render('${ "}" + \'}\' + """}""" + r"\\\\" }')).toBe('}}}\\\\');
    expect(render('<${ "\\"}" }>')).toBe('<"}>');
    expect(failure(() => compileTemplate('a ${ input.n')).code).toBe('expression_syntax');
    expect(failure(() => compileTemplate('a ${ input.n'))).toMatchObject({ position: 2 });
    expect(failure(() => compileTemplate({ x: ['ok', '${ 1 + }'] }))).toMatchObject({ code: 'expression_syntax', pointer: 'x[1]' });
    expect(failure(() => compileTemplate('${}')).code).toBe('expression_syntax');
  });

  it('passes integers beyond 2^53 and long decimals through every way a value can take', () => {
    const input = parseJson('{"id":9007199254740993,"price":0.12345678901234567890123,"items":[9007199254740993,3.14159265358979323846]}');
    const rendered = render({ id: '${ input.id }', text: 'no ${ input.id } at ${ input.price }', all: '${ input }', some: '${ input.items.filter(x, x > 1) }', pick: '${ input.items[1] }' }, { input });
    expect(stringifyJson(rendered)).toBe(
      '{"id":9007199254740993,"text":"no 9007199254740993 at 0.12345678901234567890123",' +
        '"all":{"id":9007199254740993,"price":0.12345678901234567890123,"items":[9007199254740993,3.14159265358979323846]},' +
        '"some":[9007199254740993,3.14159265358979323846],"pick":3.14159265358979323846}',
    );
    expect(render('${ input.id }', { input })).toEqual(new ExactNumber('9007199254740993'));
  });

  it('keeps prototype names as plain keys', () => {
    const value = JSON.parse('{"__proto__": "${ input.n }", "constructor": "x"}') as Json;
    const rendered = render(value, scope) as Record<string, Json>;
    expect(Object.entries(rendered)).toEqual([['__proto__', 5], ['constructor', 'x']]);
    expect(Object.getPrototypeOf(rendered)).toBe(Object.prototype);
  });

  it('merges what its expressions read', () => {
    const { references } = compileTemplate({ a: '${ tasks.x.output.id }', b: ['${ input.n } and ${ tasks.y.status }'] });
    expect([...references.variables].sort()).toEqual(['input', 'tasks']);
    expect([...references.tasks].sort()).toEqual(['x', 'y']);
    expect(references.uses.map(({ position }) => position)).toEqual([3, 3, 20]);
  });
});
