import type { Json, TaskPath } from '@foldwork/events/contracts';
import type { Expression, Scope, Template } from '../expressions';
import { taskAt } from '../plan/compiled-definition';
import type { Orchestrator, Retrying, TaskView } from '../task-types/orchestrator';
import { taskTypes } from '../task-types/registry';
import { newTask } from './add-task';
import type { Deciding } from './deciding';
import { childStates, handedOutCount, nextPending } from './children';
import type { RunState, SignalState } from './run.state';
import { taskScope } from './task-scope';

/** A view that also knows the rule it will be shown to. */
export interface DrivenView extends TaskView {
  readonly orchestrator: Orchestrator;
}

const NONE: Retrying = { failed: 0, timedOut: 0 };

export const viewOf = (deciding: Deciding, path: TaskPath, overlay?: Json, retrying = NONE): DrivenView => {
  const { run, definition, now, context } = deciding;
  const spec = taskAt(definition, path);
  const task = run.tasks.get(path) ?? newTask(path, spec.type);
  const scopeOf = (source: Expression | Template, extra?: Scope): Scope => ({ ...taskScope(run, definition, path, source.references), ...extra });
  return {
    run, task, spec, now, retrying, overlay,
    orchestrator: taskTypes.orchestratorFor(spec.type, run.request.orchestrators?.[spec.type]),
    handedOut: handedOutCount(run, task),
    scopeOf,
    evaluate: (source, extra) => source.evaluate(scopeOf(source, extra)),
    children: () => childStates(run, task),
    nextPending: (limit, indexLimit) => nextPending(run, task, limit, indexLimit),
    childRun: (runId) => context.childRun?.(runId),
    dispatched: (signalId) => context.dispatched?.(signalId),
    inbox: (names) => signalsOf(run, names),
    refused: () => refusedBy(run, path),
  };
};

const signalsOf = (run: RunState, names: readonly string[]): SignalState[] => {
  const found = [...new Set(names)].flatMap((name) => [...(run.inbox.get(name) ?? [])].flatMap((id) => run.signals.get(id) ?? []));
  return names.length === 1 ? found : found.sort((a, b) => a.order - b.order);
};

const refusedBy = (run: RunState, path: TaskPath): Set<string> => {
  const known = run.refused.get(path) ?? new Set();
  run.refused.set(path, known);
  return known;
};
