export { compileExpression, evaluateBoolean, type Expression, type Scope } from './expression';
export { compileTemplate, type Template } from './template';
export { ExpressionError } from './expression-error';
export { mergeReferences, type References } from './references';
export { evaluateUnless } from './evaluate-unless';
