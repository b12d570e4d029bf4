import { ActionError } from '@foldwork/actions';
import { failureOf } from './attempt-failure';

const circle = (): unknown => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  return circle;
};

it.each([
  ['an error', new Error('no'), { code: 'ACTION_FAILED', message: 'no' }],
  ['an error with a code', Object.assign(new Error('no'), { code: 'ENOENT' }), { code: 'ENOENT', message: 'no' }],
  ['an error of a class', new RangeError('far'), { code: 'RangeError', message: 'far' }],
  ['the cause behind a failed fetch', new TypeError('fetch failed', { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) }), { code: 'UND_ERR_SOCKET', message: 'fetch failed: other side closed' }],
  ['something thrown that is no error', 'text', { code: 'ACTION_FAILED', message: 'text' }],
  ['a plain object with words', { code: 'SOLD_OUT', message: 'none left' }, { code: 'SOLD_OUT', message: 'none left' }],
  ['a plain object without', { status: 404 }, { code: 'ACTION_FAILED', message: '{"status":404}' }],
  ['a plain object that JSON cannot hold', circle(), { code: 'ACTION_FAILED', message: 'something that is no error was thrown' }],
  ['nothing at all', undefined, { code: 'ACTION_FAILED', message: 'undefined' }],
  ['an action error', new ActionError('SOLD_OUT', 'none left', { details: { left: 0 } }), { code: 'SOLD_OUT', message: 'none left', details: { left: 0 } }],
  ['details that JSON cannot hold', new ActionError('X', 'm', { details: circle() as never }), { code: 'X', message: 'm' }],
  ['details that the log cannot hold', new ActionError('X', 'm', { details: 'nul \u0000' }), { code: 'X', message: 'm' }],
  ['details that nobody reads', new ActionError('X', 'm', { details: 'x'.repeat(100_000) }), { code: 'X', message: 'm' }],
  ['characters that the log refuses', new Error('a\u0000b\uD800'), { code: 'ACTION_FAILED', message: 'a\uFFFDb\uFFFD' }],
])('records %s', (_case, error, failure) => {
  expect(failureOf(error)).toEqual(failure);
});

it('cuts endless messages', () => {
  expect(failureOf(new Error('x'.repeat(10_000))).message).toMatch(/^x{4095}…$/); // so that secrets are known that the cut went through
});
