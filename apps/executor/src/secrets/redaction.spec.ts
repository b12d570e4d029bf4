import { ExactNumber, type Json } from '@foldwork/events';
import { Redaction } from './redaction';

const PEM = '-----BEGIN KEY-----\nabc/+def==\n"quoted"\n-----END KEY-----';
const redactionOf = (secret: string): Redaction => {
  const redaction = new Redaction();
  redaction.add([secret]);
  return redaction;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

it.each([
  ['as it is', 'top secret', 'a top secret b', 'a *** b'],
  ['in JSON inside a text', PEM, `body: ${JSON.stringify({ key: PEM })}`, 'body: {"key":"***"}'],
  ['in an address', 'a b/c+d', `?p=${encodeURIComponent('a b/c+d')}&q`, '?p=***&q'],
  ['in an address with small letters', 'a/b+c/d', '?p=a%2fb%2bc%2fd&q', '?p=***&q'],
  ['in a form', 'pass word+1', new URLSearchParams({ p: 'pass word+1' }).toString(), 'p=***'],
  ['in base64', 'abcd', base64('abcd'), '***'],
  ['in base64 without its padding', 'abcdefghij', base64('abcdefghij').replace(/=+$/, ''), '***'],
])('takes a secret out: %s', (_case, secret, text, clean) => {
  expect(redactionOf(secret).text(text)).toBe(clean);
});

it.each(['u:', 'me:', 'user:', 'someone:'])('takes a password out of the base64 of %s and it', (before) => {
  const clean = redactionOf('correct-horse').text(base64(`${before}correct-horse`));
  expect(clean).toContain('***');
  expect(Buffer.from(clean.replace('***', ''), 'base64').toString()).not.toContain('horse');
  expect(clean.length).toBeLessThan(`${base64(before)}***____`.length);
});

it.each([
  ['token: correct-hor…', 'token: ***…'],
  ['token: corr…', 'token: ***…'],
  ['a coronation…', 'a coronation…'],
  ['correct-hor', 'correct-hor'],
])('takes out what a cut has left of a secret at the end: %s', (text, clean) => {
  expect(redactionOf('correct-horse').text(text)).toBe(clean);
});

it('takes out what an action sent, without the blanks around it', () => {
  expect(redactionOf('correct-horse \n').text('Bearer correct-horse')).toBe('Bearer ***');
});

it('takes one out that is a number, and a key, at any depth; leaves the rest as it is', () => {
  const redaction = redactionOf('12345678');
  expect(redaction.json({ a: [12345678, 7, null, true], b: { 12345678: new ExactNumber('12345678.00000000000000000001') } } as Json)).toEqual({ a: ['***', 7, null, true], b: { '***': '***' } });
});
