import type { Orchestrator, TaskTypeModule } from '../orchestrator';
import { aggregateTaskType } from './aggregate.definition';

/** Puts earlier results together; evaluated by the engine itself, without any side effect. */
const aggregateV1: Orchestrator = {
  type: 'aggregate',
  version: 1,
  // `outputs` of any task replaces its result, so there is nothing left to do for an aggregate that has them.
  begin: () => [{ kind: 'complete', output: {} }],
};

export const aggregate: TaskTypeModule = { definition: aggregateTaskType as TaskTypeModule['definition'], orchestrators: [aggregateV1] };
