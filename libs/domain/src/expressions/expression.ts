import type { Json } from '@foldwork/events/contracts';
import { LRUCache } from 'lru-cache';
import { FUNCTION_NAMES, parseCel, redirectCalls } from './cel-environment';
import { toExpressionError } from './cel-errors';
import { asCelNode, expanded, formatPath, memberPath, walk, type CelNode } from './cel-syntax';
import { describe, toJson } from './cel-values';
import { meter, type IsCanceled } from './cost-meter';
import { ExpressionError } from './expression-error';
import { meterEvaluation } from './metered-evaluation';
import { collectReferences, type References } from './references';

/** The variables an expression sees. Values may be computed by getters; only those that are referred to are read. */
export type Scope = Readonly<Record<string, Json>>;

export interface Expression {
  readonly source: string;
  readonly references: References;
  /** The CEL type as far as the text alone tells: `bool`, `int`, `string`, …, or `dyn`. */
  readonly type: string;
  /**
   * Throws `ExpressionError`; never runs longer than the cost limit allows. `isCanceled` is asked now and then; once it
   * says yes the evaluation ends in `expression_error`.
   */
  evaluate(scope: Scope, isCanceled?: IsCanceled): Json;
}

const MAX_SOURCE_LENGTH = 8192;
const cache = new LRUCache<string, Expression>({ max: 5000 });

/** Compiles CEL text once (bounded cache). Throws `ExpressionError` with the position of the fault. */
export const compileExpression = (source: string): Expression => {
  const known = cache.get(source);
  if (known) return known;
  const fresh = compile(source);
  cache.set(source, fresh);
  return fresh;
};

/** For conditions: anything but true or false is an `expression_type` error. */
export const evaluateBoolean = (expression: Expression, scope: Scope): boolean => {
  const value = expression.evaluate(scope);
  if (typeof value === 'boolean') return value;
  throw new ExpressionError('expression_type', `Expected true or false, got ${describe(value)}: ${expression.source}`, { position: 0 });
};

const compile = (source: string): Expression => {
  if (source.length > MAX_SOURCE_LENGTH)
    throw new ExpressionError('expression_limit', `An expression may have ${MAX_SOURCE_LENGTH} characters`, { position: MAX_SOURCE_LENGTH });
  try {
    return compileParsed(source);
  } catch (error) {
    throw toExpressionError(error, source);
  }
};

const compileParsed = (source: string): Expression => {
  const parsed = parseCel(source);
  const root = asCelNode(parsed.ast);
  redirectCalls(parsed.ast);
  refuseUnknownFunctions(root);
  const { valid, error, type = 'dyn' } = parsed.check();
  if (!valid) throw toExpressionError(error, source);
  const references = collectReferences(root);
  const readMember = memberReader(root, references);
  if (readMember) return { source, references, type: 'dyn', evaluate: readMember };
  meterEvaluation(root);
  const names = [...references.variables];
  const evaluate = (scope: Scope, isCanceled?: IsCanceled): Json => {
    try {
      return meter.metered(() => toJson(parsed(variablesOf(scope, names))), isCanceled);
    } catch (error) {
      throw toExpressionError(error, source);
    }
  };
  return { source, references, type, evaluate };
};

const refuseUnknownFunctions = (root: CelNode): void =>
  walk(root, (node) => {
    if (node.op !== 'call' && node.op !== 'rcall') return;
    const name = (node.args as [string])[0];
    if (FUNCTION_NAMES.has(name) || name === 'matchesLinear' || name === 'joinAll') return;
    throw new ExpressionError('expression_undefined', `Unknown function: ${name}`, { path: name, position: node.start });
  });

/** Only what is referred to is read, and nothing is inherited: `toString` is as unknown as any other name. */
const variablesOf = (scope: Scope, names: readonly string[]): Record<string, Json> => {
  const variables = Object.create(null) as Record<string, Json>; // without prototype: the library looks names up by `[]`
  for (const name of names) {
    const value = memberOf(scope, name);
    if (value !== undefined) variables[name] = value;
  }
  return variables;
};

const { hasOwn } = Object;
const { isArray } = Array;
const memberOf = (container: unknown, key: string | number): Json | undefined => {
  if (typeof container !== 'object' || container === null) return undefined;
  if (isArray(container)) return typeof key === 'number' ? (container[key] as Json) : undefined;
  if (typeof key === 'number' || !hasOwn(container, key)) return undefined;
  return (container as Readonly<Record<string, Json>>)[key];
};

/** Most values are plain `tasks.a.output.id`; they are read without the evaluator and need no conversion. */
const memberReader = (root: CelNode, references: References): ((scope: Scope) => Json) | undefined => {
  const path = memberPath(root);
  if (!path || references.variables.size === 0 || references.uses.some((use) => use.isOptional)) return undefined;
  const variable = path.root.args as string; // an `id` node's argument is its name
  const { segments } = path;
  return (scope) => {
    let value = memberOf(scope, variable);
    if (value === undefined) throw missing(`Unknown variable: ${variable}`, variable, path.root.start);
    for (let index = 0; index < segments.length; index++) {
      value = memberOf(value, segments[index] as string | number);
      if (value === undefined) throw missingMember(variable, segments.slice(0, index + 1), path.nodes[index]);
    }
    return value;
  };
};

const missing = (message: string, path: string, position: number): ExpressionError =>
  new ExpressionError('expression_undefined', message, { path, position });
const missingMember = (variable: string, segments: readonly (string | number)[], node: CelNode | undefined): ExpressionError => {
  const path = formatPath(variable, segments);
  return missing(`No such key: ${path}`, path, node ? keyPosition(expanded(node)) : 0);
};
/** The library marks `a.b` at `b`; an index is marked at the start of the whole access. */
const keyPosition = (node: CelNode): number => node.start;
