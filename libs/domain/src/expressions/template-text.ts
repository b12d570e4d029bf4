import { ExpressionError } from './expression-error';

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  /** `position`: offset of the CEL text in the whole string. */
  | { readonly kind: 'cel'; readonly source: string; readonly position: number };

/** Splits `a ${ x } b`; `$${` is the text `${`. Throws `expression_syntax` at a `${` that is never closed. */
export const splitTemplate = (text: string): TemplatePart[] => {
  const parts: TemplatePart[] = [];
  let literal = '';
  let index = 0;
  while (index < text.length) {
    const next = text.indexOf('$', index);
    if (next < 0) break;
    literal += text.slice(index, next);
    if (text.startsWith('$${', next)) {
      literal += '${';
      index = next + 3;
    } else if (text.startsWith('${', next)) {
      const end = closingBrace(text, next + 2);
      if (end < 0) throw new ExpressionError('expression_syntax', 'This ${ is never closed', { position: next });
      if (literal !== '') parts.push({ kind: 'text', text: literal });
      literal = '';
      parts.push({ kind: 'cel', source: text.slice(next + 2, end), position: next + 2 });
      index = end + 1;
    } else {
      literal += '$';
      index = next + 1;
    }
  }
  literal += text.slice(index);
  if (literal !== '' || parts.length === 0) parts.push({ kind: 'text', text: literal });
  return parts;
};

/** Index of the `}` that closes the expression that starts at `start`; braces of maps and inside strings do not count. */
const closingBrace = (text: string, start: number): number => {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === '"' || character === "'") {
      index = endOfString(text, index);
      if (index < 0) return -1;
    } else if (character === '{') depth++;
    else if (character === '}' && depth-- === 0) return index;
  }
  return -1;
};

/** Index of the last character of the CEL string literal at `start`, or -1. */
const endOfString = (text: string, start: number): number => {
  const quote = text[start] as string;
  const mark = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  for (let index = start + mark.length; index < text.length; index++) {
    if (text[index] === '\\') index++; // in raw strings too: the library reads them so
    else if (text.startsWith(mark, index)) return index + mark.length - 1;
  }
  return -1;
};
