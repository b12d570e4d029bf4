export { compileExpression, evaluateBoolean, type Expression, type Scope } from './expressions/expression';
export { compileTemplate, type Template } from './expressions/template';
export { ExpressionError, type ExpressionErrorCode } from './expressions/expression-error';
export type { Reference, References } from './expressions/references';
