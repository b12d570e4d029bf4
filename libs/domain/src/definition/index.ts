export type {
  BreakerSettings, Definition, Lane, TaskDefinition, TaskDefinitionByType, Trigger,
} from './definition';
export type {
  EffectClass, Env, JsonSchema, RetryOverride, Strategy, TaskCommon, TimedTask, Transition, Undo,
} from './task.definition';
export type { Diagnostic } from './diagnostic';
export type { ChildList, ExpressionField, TaskTypeDefinition } from './task-type.definition';
export { mergeRetry } from './merge-retry';
export { DurationError, parseDuration } from './duration';
export { schemaFaults } from './json-schema';
export type { ActionCatalog, ActionFacts, CheckContext } from './task-type.definition';
