export { compileExpression, evaluateBoolean, type Expression, type Scope } from './expressions/expression';
export { compileTemplate, type Template } from './expressions/template';
export { ExpressionError, type ExpressionErrorCode } from './expressions/expression-error';
export type { Reference, References } from './expressions/references';
export type {
  BreakerSettings, Definition, Lane, TaskDefinition, TaskDefinitionByType, Trigger,
} from './definition/definition';
export type {
  EffectClass, Env, JsonSchema, RetryOverride, Strategy, TaskCommon, TimedTask, Transition, Undo,
} from './definition/task.definition';
export type { Diagnostic } from './definition/diagnostic';
export type { ChildList, ExpressionField, TaskTypeDefinition } from './definition/task-type.definition';
export { DEFAULT_RETRY, mergeRetry, type RetryPolicy } from './definition/retry-policy';
export { DurationError, parseDuration } from './definition/duration';
export type { BasicTask, Verify } from './task-types/basic/basic.definition';
export type { ApprovalRequest, SignalMatch, WaitTask } from './task-types/wait/wait.definition';
export type { SignalTask } from './task-types/signal/signal.definition';
export type { RouteCase, RouterTask, RouteTarget } from './task-types/router/router.definition';
export type { ParallelTask } from './task-types/parallel/parallel.definition';
export type { CollectionTask } from './task-types/collection/collection.definition';
export type { CompositeTask } from './task-types/composite/composite.definition';
export type { AggregateTask, Sources } from './task-types/aggregate/aggregate.definition';
