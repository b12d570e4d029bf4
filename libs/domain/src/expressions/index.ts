export { compileExpression, evaluateBoolean, type Expression, type Scope } from './expression';
export { compileTemplate, type Template } from './template';
export { ExpressionError, type ExpressionErrorCode, type ExpressionErrorPlace } from './expression-error';
export { mergeReferences, NO_REFERENCES, type Reference, type References } from './references';
