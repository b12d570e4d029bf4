export type { Definition } from './definition';
export type { Env, JsonSchema, RetryOverride, Strategy, TaskCommon, Transition } from './task.definition';
export type { ChildList, TaskTypeDefinition } from './task-type.definition';
export { mergeRetry } from './merge-retry';
export { DurationError, parseDuration } from './duration';
export { schemaFaults } from './json-schema';
