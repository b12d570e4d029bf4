import type { Orchestrator, TaskTypeModule } from '../orchestrator';
import { compositeTaskType } from './composite.definition';

/** Its tasks one after another, along their transitions. */
const compositeV1: Orchestrator = {
  type: 'composite',
  version: 1,
  begin: ({ spec }) => {
    const tasks = (spec.list?.tasks ?? []).map(({ id, type }) => ({ id, type }));
    return [{ kind: 'begin', children: { childCount: tasks.length, tasks } }];
  },
  advance: () => [{ kind: 'runList' }],
};

export const composite: TaskTypeModule = { definition: compositeTaskType as TaskTypeModule['definition'], orchestrators: [compositeV1] };
