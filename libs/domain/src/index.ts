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
export type { ActionCatalog, ActionFacts, CheckContext, ChildList, ExpressionField, SchemaKit, TaskTypeDefinition } from './definition/task-type.definition';
export {
  createDefinitionLanguage, type CheckedDefinition, type CheckOptions, type DefinitionLanguage, type ParseOptions,
} from './definition/definition-language';
export { checkDefinition, editorSchema, parseDefinition } from './task-types/built-in-language';
export { canonicalJson, definitionHash } from './definition/definition-hash';
export { schemaFaults, schemaProblem } from './definition/json-schema';
export { mergeRetry } from './definition/merge-retry';
export { DurationError, parseDuration } from './definition/duration';
export type { BasicTask, Verify } from './task-types/basic/basic.definition';
export type { ApprovalRequest, SignalMatch, WaitTask } from './task-types/wait/wait.definition';
export type { SignalTask } from './task-types/signal/signal.definition';
export type { RouteCase, RouterTask, RouteTarget } from './task-types/router/router.definition';
export type { ParallelTask } from './task-types/parallel/parallel.definition';
export { itemsTemplate, type CollectionTask } from './task-types/collection/collection.definition';
export type { CompositeTask } from './task-types/composite/composite.definition';
export type { AggregateTask, Sources } from './task-types/aggregate/aggregate.definition';
export { taskTypes, TaskTypeRegistry } from './task-types/registry';
export type { Directive, Orchestrator, TaskTypeModule, TaskView } from './task-types/orchestrator';
export { compileDefinition } from './plan/compile-definition';
export { taskAt, type CompiledCall, type CompiledDefinition, type CompiledTask } from './plan/compiled-definition';
export { applyEvent, foldEvent, foldRun, initialRun } from './run/fold-run';
export { isOpenRun, type RunState, type RunStatus, type SignalState, type TaskState } from './run/run.state';
export { decideRun, lookAtEverything, lookAtTask, type RunDecision } from './run/decide-run';
export { admission } from './run/admission';
export { admissible, emptyLaneBook, foldLanes, lacksRequest, leaveLane, type LaneBook, type LaneState } from './run/lane.state';
export { runLane } from './run/run-lane';
export { openChildRuns } from './run/child-runs';
export {
  childRunView, derivedRunId, derivedSignalId, unknownTarget, type ChildRunRequest, type ChildRunView, type OutgoingSignal, type SignalDispatch,
} from './run/outgoing';
export type { DecideContext } from './run/deciding';
export { decideOperatorCommand, type OperatorCommand, type OperatorDecision, type OperatorRejection } from './run/operator.decider';
export { attemptScope, isSeenByNext, runOutput } from './run/attempt-scope';
export { lineageFrom } from './run/lineage';
export { resolveInput } from './run/task-input';
export { refusedTask } from './run/refused-task';
export { stepCommands } from './run/step-command';
export { settleOutput } from './run/settle-output';
export { coarseStatus, isActive, isEnded, isUnsuccessful, legalTransitions, nextStatus, TASK_STATUSES, type CoarseStatus } from './task/task-machine';
export { DEFAULT_RETRY, isRetryable, LEASE_LOST, retryDelayMs, type RetryPolicy } from './policies/retry-policy';
export { assertNever } from './assert-never';
