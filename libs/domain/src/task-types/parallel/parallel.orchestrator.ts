import { advanceBranches, errorsOf, outputsByName, progressOf } from '../branches';
import type { Orchestrator, TaskTypeModule } from '../orchestrator';
import { parallelTaskType, type ParallelTask } from './parallel.definition';

/** All branches at once, as far as `maxWorkers` allows; the strategy says when it is over. */
const parallelV1: Orchestrator = {
  type: 'parallel',
  version: 1,
  begin: ({ spec }) => {
    const { tasks, strategy, maxWorkers } = spec.spec as ParallelTask; // the registry hands a type its own specs
    const children = { childCount: tasks.length, strategy: strategy ?? 'wait_all', maxWorkers: maxWorkers ?? 0, tasks: tasks.map(({ id, type }) => ({ id, type })) };
    return [{ kind: 'begin', children }];
  },
  advance: (view) =>
    advanceBranches(view, {
      output: (done, counts) => ({ outputs: outputsByName(done), progress: progressOf(counts), ...errorsOf(done) }),
      indexLimit: ({ total }) => total,
      sequential: false,
    }),
};

export const parallel: TaskTypeModule = { definition: parallelTaskType as TaskTypeModule['definition'], worker: 'engine', orchestrators: [parallelV1] };
