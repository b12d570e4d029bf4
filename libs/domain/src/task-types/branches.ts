import { childName, type Json, type JsonObject } from '@foldwork/events/contracts';
import { isActive, isUnsuccessful } from '../task/task-machine';
import type { TaskState } from '../run/run.state';
import { childFailure } from './child-failure';
import { countChildren, endedCount, type ChildCounts } from './child-counts';
import type { Directive, TaskView } from './orchestrator';
import { parseStrategy, strategyOutcome } from './strategy';

/** At most so many children of one container are under way, whatever its own limit. */
export const IN_FLIGHT_MAX = 100;

/** How a container goes about its children; `settled` makes its output once the strategy is satisfied. */
export interface BranchRules {
  readonly output: (view: TaskView, counts: ChildCounts) => Json;
  /** Children with an index below it may begin. */
  readonly indexLimit: (counts: ChildCounts) => number;
  readonly sequential: boolean;
}

/** The rule that parallel and collection share: count, ask the strategy, begin what may begin. */
export const advanceBranches = (view: TaskView, rules: BranchRules): readonly Directive[] => {
  const { task, retrying } = view;
  const strategy = parseStrategy(task.children?.plan.strategy);
  const counts = countChildren(task, retrying);
  const outcome = counts.total === 0 ? 'completed' : strategyOutcome(strategy, counts);
  if (outcome === 'completed') return [...cancelRest(view, counts), { kind: 'complete', output: rules.output(view, counts) }];
  if (outcome === 'failed') return [...cancelRest(view, counts), { kind: 'fail', error: childFailure(view.children().filter(isLost)) }];
  return rules.sequential ? nextInOrder(view, counts, strategy) : nextInParallel(view, counts, rules);
};

const isLost = ({ status }: TaskState): boolean => isUnsuccessful(status) && status !== 'canceled';

/** Branches that are still open when the strategy is satisfied are not needed any more. */
const cancelRest = (view: TaskView, { active, pending }: ChildCounts): Directive[] => {
  if (active + pending === 0) return [];
  return view
    .children()
    .filter(({ status }) => status === 'pending' || isActive(status))
    .map(({ path }) => ({ kind: 'cancelChild', path }));
};

const nextInParallel = (view: TaskView, counts: ChildCounts, rules: BranchRules): Directive[] => {
  const own = view.task.children?.plan.maxWorkers ?? 0;
  const free = Math.min(own === 0 ? IN_FLIGHT_MAX : own, IN_FLIGHT_MAX) - counts.active - view.handedOut;
  return view.nextPending(free, rules.indexLimit(counts)).map((index) => ({ kind: 'runChild', index }));
};

/** So many children at most are handed to one executor in a row. */
const ROW_MAX = 50;

const nextInOrder = (view: TaskView, counts: ChildCounts, strategy: string): Directive[] => {
  if (counts.active + view.handedOut > 0) return [];
  const row = view.spec.each?.executed === true && view.spec.each.when === undefined && strategy !== 'race' ? ROW_MAX : 1;
  return [{ kind: 'runChildren', indexes: view.nextPending(row, counts.total) }];
};

/** Outputs of completed children by name. */
export const outputsByName = (view: TaskView): JsonObject => {
  const outputs: JsonObject = {};
  for (const child of view.children()) if (child.status === 'completed') outputs[childName(child.path)] = child.output ?? null;
  return outputs;
};

export const progressOf = (counts: ChildCounts): JsonObject => ({
  total: counts.total,
  processed: endedCount(counts),
  succeeded: counts.succeeded,
  failed: counts.failed + counts.timedOut,
});

/** For strategies that complete although something failed. */
export const errorsOf = (view: TaskView): { errors?: Json } => {
  const lost = view.children().filter(isLost);
  return lost.length === 0 ? {} : { errors: childFailure(lost).details };
};
