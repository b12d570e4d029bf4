import type { Json, JsonObject } from '@foldwork/events/contracts';
import { compileExpression, evaluateBoolean, ExpressionError } from '../../expressions';
import { signalItem } from '../../run/apply-signal';
import type { SignalState, TaskState } from '../../run/run.state';
import { isUnsuccessful } from '../../task/task-machine';
import type { Directive, TaskView } from '../orchestrator';
import type { SignalMatch, WaitTask } from './wait.definition';

/** The signals that a wait looks for; `waitFor` is `any` of one. */
export const matchesOf = ({ waitFor, condition, any, all }: WaitTask): readonly SignalMatch[] =>
  any ?? all ?? (waitFor === undefined ? [] : [{ signal: waitFor, ...(condition !== undefined && { condition }) }]);

/** A signal that came, and what the processor made of it. */
interface Candidate {
  readonly signal: SignalState;
  readonly processed?: Json;
}

/**
 * Looks at the signals nobody used up, in order of arrival. Each is looked at once (with a processor: when its processor
 * has ended); a refused one stays for other waits.
 */
export const awaitSignals = (view: TaskView, spec: WaitTask): readonly Directive[] => {
  const matches = matchesOf(spec);
  const arrived = view.inbox(matches.map(({ signal }) => signal)).filter((signal) => isMeant(view.task, signal));
  try {
    return spec.processor === undefined ? decide(view, spec, arrived.map((signal) => ({ signal }))) : process(view, spec, arrived);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [{ kind: 'fail', error: { code: 'WAIT_TASK_ERROR', message: error.message } }];
  }
};

const isMeant = ({ waitsFor }: TaskState, { signal, correlationId }: SignalState): boolean =>
  waitsFor?.some((awaited) => awaited.signal === signal && (awaited.correlationId === undefined || awaited.correlationId === correlationId)) ?? false;

const decide = (view: TaskView, spec: WaitTask, candidates: readonly Candidate[]): readonly Directive[] => {
  const chosen = spec.all === undefined ? firstMatch(view, spec, candidates) : allMatches(view, spec.all, candidates);
  return chosen === undefined ? [] : [complete(chosen)];
};

const firstMatch = (view: TaskView, spec: WaitTask, candidates: readonly Candidate[]): readonly Candidate[] | undefined => {
  const refused = view.refused();
  for (const candidate of candidates) {
    const { signalId } = candidate.signal;
    if (refused.has(signalId)) continue;
    if (matchesOf(spec).some((match) => fits(view, match, candidate))) return [candidate];
    refused.add(signalId);
  }
  return undefined;
};

const fits = (view: TaskView, { signal, condition }: SignalMatch, candidate: Candidate): boolean => {
  if (signal !== candidate.signal.signal) return false;
  if (condition === undefined) return true;
  const compiled = compileExpression(condition);
  const processor: JsonObject = { output: candidate.processed ?? null, error: null };
  return evaluateBoolean(compiled, view.scopeOf(compiled, { signal: signalItem(candidate.signal), processor }));
};

/** Every match needs a signal of its own. Each in turn takes the earliest that fits, and may push an earlier choice aside. */
const allMatches = (view: TaskView, all: readonly SignalMatch[], candidates: readonly Candidate[]): readonly Candidate[] | undefined => {
  if (candidates.length < all.length) return undefined;
  const fitting = all.map((match) => candidates.filter((candidate) => fits(view, match, candidate)));
  const takenBy = new Map<Candidate, number>();
  const place = (index: number, tried: Set<Candidate>): boolean =>
    (fitting[index] ?? []).some((candidate) => {
      if (tried.has(candidate)) return false;
      tried.add(candidate);
      const holder = takenBy.get(candidate);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(candidate, index);
      return true;
    });
  if (!all.every((_match, index) => place(index, new Set()))) return undefined;
  return [...takenBy.keys()].sort((a, b) => a.signal.order - b.signal.order);
};

/** One signal after another: its child, then the condition over what the child made of it. */
const process = (view: TaskView, spec: WaitTask, arrived: readonly SignalState[]): readonly Directive[] => {
  const children = view.children();
  const last = children.at(-1);
  if (last !== undefined && (last.status === 'pending' || !isSettled(view, last))) return [{ kind: 'runChild', index: children.length - 1 }];
  if (last !== undefined && isUnsuccessful(last.status)) {
    return [{ kind: 'fail', error: { code: 'WAIT_TASK_ERROR', message: `the processor failed: ${last.error?.message ?? last.status}` } }];
  }
  const ids = processedIds(view.task);
  const byId = new Map(arrived.map((signal) => [signal.signalId, signal]));
  const candidates = ids.flatMap((id, index) => {
    const signal = byId.get(id);
    return signal === undefined ? [] : [{ signal, processed: children[index]?.output ?? null }];
  });
  const decided = decide(view, spec, candidates);
  if (decided.length > 0) return decided;
  const next = arrived.find(({ signalId }) => !ids.includes(signalId));
  return next === undefined ? [] : [{ kind: 'planChild', signalId: next.signalId }, { kind: 'runChild', index: children.length }];
};

/** A failed processor that is tried again has not ended. */
const isSettled = ({ task, retrying }: TaskView, { status }: TaskState): boolean => {
  const counts = task.children?.counts;
  const active = counts === undefined ? 0 : counts.assigned + counts.in_progress + counts.waiting;
  return active + retrying.failed + retrying.timedOut === 0 && status !== 'pending';
};

const processedIds = ({ children }: TaskState): string[] =>
  (children?.plan.items ?? []).map((item) => String((item as { metadata: { signalId?: Json } }).metadata.signalId ?? '')); // made by signalItem

const complete = (chosen: readonly Candidate[]): Directive => {
  const last = chosen.at(-1);
  const output: JsonObject = {
    waitStatus: 'signaled',
    signal: signalItem(last?.signal),
    signalReceivedAt: new Date(last?.signal.at ?? 0).toISOString(),
  };
  if (chosen.length > 1) output['signals'] = chosen.map(({ signal }) => signalItem(signal));
  if (last !== undefined && 'processed' in last) output['processorOutput'] = last.processed ?? null;
  return { kind: 'complete', output, signalIds: chosen.map(({ signal }) => signal.signalId) };
};
