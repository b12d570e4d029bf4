import { aggregateTaskType } from '../task-types/aggregate/aggregate.definition';
import { basicTaskType } from '../task-types/basic/basic.definition';
import { collectionTaskType } from '../task-types/collection/collection.definition';
import { compositeTaskType } from '../task-types/composite/composite.definition';
import { parallelTaskType } from '../task-types/parallel/parallel.definition';
import { routerTaskType } from '../task-types/router/router.definition';
import { signalTaskType } from '../task-types/signal/signal.definition';
import { waitTaskType } from '../task-types/wait/wait.definition';
import { createDefinitionLanguage } from './definition-language';
import type { TaskTypeDefinition } from './task-type.definition';

/** The task types of the language. */
export const TASK_TYPES: readonly TaskTypeDefinition[] = [
  basicTaskType, waitTaskType, signalTaskType, routerTaskType, parallelTaskType, collectionTaskType, compositeTaskType, aggregateTaskType,
];

/** The language with the eight types. */
export const { parseDefinition, checkDefinition, editorSchema } = createDefinitionLanguage(TASK_TYPES);
