import type { Json, TaskPath } from '@foldwork/events/contracts';
import type { Expression, Scope, Template } from '../expressions';
import { taskAt } from '../plan/compiled-definition';
import type { Orchestrator, TaskView } from '../task-types/orchestrator';
import { taskTypes } from '../task-types/registry';
import type { Deciding } from './deciding';
import { childStates, nextPending } from './children';
import type { TaskState } from './run.state';
import { taskScope } from './task-scope';

/** A view that also knows the rule it will be shown to. */
export interface DrivenView extends TaskView {
  readonly orchestrator: Orchestrator;
}

export const viewOf = (deciding: Deciding, path: TaskPath, overlay?: Json, retrying = 0): DrivenView => {
  const { run, definition, now } = deciding;
  const spec = taskAt(definition, path);
  const task: TaskState = run.tasks.get(path) ?? { path, type: spec.type, status: 'pending', version: 0, attempt: 0, attemptsBefore: 0 };
  const scopeOf = (source: Expression | Template, extra?: Scope): Scope => ({ ...taskScope(run, definition, path, source.references), ...extra });
  return {
    run, task, spec, now, retrying, overlay,
    orchestrator: taskTypes.orchestratorFor(spec.type, run.request.orchestrators?.[spec.type]),
    scopeOf,
    evaluate: (source, extra) => source.evaluate(scopeOf(source, extra)),
    children: () => childStates(run, task),
    nextPending: (limit, indexLimit) => nextPending(run, task, limit, indexLimit),
    childRun: (runId) => deciding.context.childRun?.(runId),
  };
};
