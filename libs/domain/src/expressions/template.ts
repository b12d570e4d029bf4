import { ExactNumber, stringifyJson, type Json } from '@foldwork/events/contracts';
import { compileExpression, type Expression, type Scope } from './expression';
import { ExpressionError } from './expression-error';
import { mergeReferences, NO_REFERENCES, type References } from './references';
import { splitTemplate, type TemplatePart } from './template-text';

/** JSON whose strings may contain `${ CEL }`, compiled. */
export interface Template {
  /** No expression inside: `evaluate` returns the value itself and reads nothing. */
  readonly isConstant: boolean;
  readonly references: References;
  /** Throws `ExpressionError`; its message names the place inside the value and the position in the string. */
  evaluate(scope: Scope): Json;
}

const MAX_DEPTH = 64;

/** Throws `ExpressionError` at the first string that does not compile; `pointer` names it like `images[0].id`. */
export const compileTemplate = (value: Json): Template => compileAt(value, '', 0);

const constant = (value: Json): Template => ({ isConstant: true, references: NO_REFERENCES, evaluate: () => value });

const compileAt = (value: Json, path: string, depth: number): Template => {
  if (depth > MAX_DEPTH) throw new ExpressionError('expression_limit', `Nested more than ${MAX_DEPTH} levels deep`, { pointer: path });
  if (typeof value === 'string') return compileString(value, path);
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return constant(value);
  if (Array.isArray(value)) return compileList(value, path, depth);
  return compileMap(value, path, depth);
};

const compileList = (list: Json[], path: string, depth: number): Template => {
  const items = list.map((item, index) => compileAt(item, `${path}[${index}]`, depth + 1));
  if (items.every((item) => item.isConstant)) return constant(items.map((item) => item.evaluate({})));
  return { isConstant: false, references: mergeReferences(items.map((item) => item.references)), evaluate: (scope) => items.map((item) => item.evaluate(scope)) };
};

const compileMap = (map: { [key: string]: Json }, path: string, depth: number): Template => {
  const entries = Object.entries(map).map(([key, member]) => [key, compileAt(member, path === '' ? key : `${path}.${key}`, depth + 1)] as const);
  const evaluate = (scope: Scope): Json => Object.fromEntries(entries.map(([key, member]) => [key, member.evaluate(scope)]));
  if (entries.every(([, member]) => member.isConstant)) return constant(evaluate({}));
  return { isConstant: false, references: mergeReferences(entries.map(([, member]) => member.references)), evaluate };
};

const compileString = (text: string, path: string): Template => {
  if (!text.includes('${')) return constant(text);
  try {
    return compileParts(splitTemplate(text), path);
  } catch (error) {
    throw located(error, 0, path);
  }
};

const compileParts = (parts: readonly TemplatePart[], path: string): Template => {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === 'text') return constant(first.text);
  const pieces = parts.map((part) => compilePart(part, path));
  const references = mergeReferences(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.references])));
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined && typeof only !== 'string') return { isConstant: false, references, evaluate: only.evaluate };
  const evaluate = (scope: Scope): Json => pieces.map((piece) => (typeof piece === 'string' ? piece : asText(piece.evaluate(scope)))).join('');
  return { isConstant: false, references, evaluate };
};

type Piece = string | { readonly references: References; evaluate(scope: Scope): Json };

const compilePart = (part: TemplatePart, path: string): Piece => {
  if (part.kind === 'text') return part.text;
  const expression = compileLocated(part.source, part.position);
  const evaluate = (scope: Scope): Json => {
    try {
      return expression.evaluate(scope);
    } catch (error) {
      throw located(error, part.position, path);
    }
  };
  return { references: shifted(expression.references, part.position), evaluate };
};

const compileLocated = (source: string, position: number): Expression => {
  try {
    return compileExpression(source);
  } catch (error) {
    throw error instanceof ExpressionError ? error.shifted(position) : error;
  }
};

const shifted = (references: References, offset: number): References => ({
  ...references,
  uses: references.uses.map((use) => ({ ...use, position: use.position + offset })),
});

const located = (error: unknown, offset: number, pointer: string): unknown =>
  error instanceof ExpressionError ? error.shifted(offset).inside(pointer) : error;

const asText = (value: Json): string => (typeof value === 'string' ? value : stringifyJson(value));
