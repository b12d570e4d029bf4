import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { asCelNode, formatPath, memberPath } from './cel-syntax';
import { ExpressionError, type ExpressionErrorCode, type ExpressionErrorPlace } from './expression-error';

type CelError = ParseError | EvaluationError | CelTypeError;

const EVALUATION_CODES: Readonly<Record<string, ExpressionErrorCode>> = {
  unknown_variable: 'expression_undefined',
  no_such_key: 'expression_undefined',
  index_out_of_bounds: 'expression_undefined',
  no_such_overload: 'expression_type',
  no_matching_overload: 'expression_type',
  unsupported_type: 'expression_type',
  invalid_condition_type: 'expression_type',
  invalid_logical_operand: 'expression_type',
  invalid_comprehension_range: 'expression_type',
  invalid_comparison_type: 'expression_type',
  invalid_index_type: 'expression_type',
  cannot_index_type: 'expression_type',
};

const isCelError = (error: unknown): error is CelError =>
  error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError;

/** Whatever an evaluation threw as the one error of this folder, with place. */
export const toExpressionError = (error: unknown, source: string): ExpressionError => {
  if (error instanceof ExpressionError) return error;
  if (isCelError(error)) return new ExpressionError(codeOf(error), messageOf(error), placeOf(error));
  if (error instanceof RangeError) return new ExpressionError('expression_limit', 'The expression is too large or too deep');
  if (error instanceof TypeError) return new ExpressionError('expression_type', `Cannot mix these types: ${source.slice(0, 80)}`);
  throw error;
};

const codeOf = (error: CelError): ExpressionErrorCode => {
  if (error instanceof ParseError) return error.code === 'limit_exceeded' ? 'expression_limit' : 'expression_syntax';
  if (error instanceof CelTypeError) return error.code === 'unknown_variable' || error.code === 'no_such_key' ? 'expression_undefined' : 'expression_type';
  return EVALUATION_CODES[error.code] ?? 'expression_error';
};

const placeOf = (error: CelError): ExpressionErrorPlace => {
  const path = missingPath(error);
  return { ...(error.range && { position: error.range.start }), ...(path !== undefined && { path }) };
};

const missingPath = (error: CelError): string | undefined => {
  if (codeOf(error) !== 'expression_undefined' || !error.node || !('op' in error.node)) return undefined;
  const path = memberPath(asCelNode(error.node as Parameters<typeof asCelNode>[0]));
  return path && formatPath(path.root.args as string, path.segments);
};

const messageOf = (error: CelError): string => {
  const path = missingPath(error);
  const summary = error.summary.replaceAll('matchesLinear', 'matches').replaceAll('joinAll', 'join');
  return path !== undefined && error.code !== 'unknown_variable' ? `No such key: ${path}` : summary;
};
