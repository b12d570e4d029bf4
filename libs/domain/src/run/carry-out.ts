import type { FailureDetail, Json, PlannedChildren, TaskPath } from '@foldwork/events/contracts';
import { taskAt } from '../plan/compiled-definition';
import { isActive } from '../task/task-machine';
import type { Directive } from '../task-types/orchestrator';
import { cancelBelow } from './cancel';
import type { Deciding } from './deciding';
import type { TransitionFacts } from './emission';
import { derivedRunId } from './outgoing';
import { settleOutput } from './settle-output';
import { containerInput } from './task-input';
import { taskScope } from './task-scope';
import { startScopeRollback } from './scope-rollback';

type DirectiveOf<K extends Directive['kind']> = Extract<Directive, { kind: K }>;
type Facts = { -readonly [K in keyof TransitionFacts]: TransitionFacts[K] };

/** Turns directives that concern the task itself into events. Those about children are the container's (see settle). Throws `ExpressionError`. */
export const carryOut = (deciding: Deciding, path: TaskPath, directives: readonly Directive[], overlay?: Json): void => {
  for (const directive of directives) {
    if (directive.kind === 'begin' || directive.kind === 'wait') begin(deciding, path, directive, overlay);
    else if (directive.kind === 'complete') complete(deciding, path, directive);
    else if (directive.kind === 'fail') fail(deciding, path, directive);
    else if (directive.kind === 'cancelChild') cancelChild(deciding, directive.path);
    else if (directive.kind === 'wakeAt') deciding.wakeAt(path, directive.at);
    else if (directive.kind === 'planChild') planChild(deciding, path, directive);
    else if (directive.kind === 'dispatch') deciding.signals.push({ ...directive.signal, task: path });
    else if (directive.kind === 'startRun') startRun(deciding, path, directive);
  }
};

const begin = (deciding: Deciding, path: TaskPath, directive: DirectiveOf<'begin'> | DirectiveOf<'wait'>, overlay?: Json): void => {
  const task = deciding.run.tasks.get(path);
  const facts: Facts = { attempt: (task?.attempt ?? 0) + 1 };
  const input = directive.input ?? (task?.input === undefined ? containerInput(deciding.run, deciding.definition, path, overlay) : undefined);
  if (input !== undefined) facts.input = input;
  if (directive.kind === 'wait') {
    if (directive.until !== undefined) facts.until = directive.until;
    if (directive.waitsFor !== undefined) facts.waitsFor = directive.waitsFor;
  } else {
    // A container that is tried again keeps its children: those completed stay completed.
    if (directive.children !== undefined && task?.children === undefined) facts.children = planned(deciding, directive.children);
    if (directive.childRun !== undefined) facts.childRun = directive.childRun;
  }
  deciding.transition(path, directive.kind, facts);
};

const planned = (deciding: Deciding, children: PlannedChildren): PlannedChildren => {
  for (const { type } of children.tasks ?? []) deciding.countPlanned(type);
  if (children.itemType !== undefined && children.childCount > 0) deciding.countPlanned(children.itemType, children.childCount);
  return children;
};

/** A child run that failed is tried again under its id: what is done in it stays done. Otherwise another one begins. */
const startRun = (deciding: Deciding, path: TaskPath, { workflow, input }: DirectiveOf<'startRun'>): void => {
  const task = deciding.run.tasks.get(path);
  const failed = task?.childRun;
  const runId = failed?.runId ?? derivedRunId(deciding.now, `${deciding.run.runId}/${path}/${task?.attempt ?? 0}`);
  begin(deciding, path, { kind: 'begin', input, childRun: { runId, workflow, attempt: (failed?.attempt ?? 0) + 1 } });
};

const ensureBegun = (deciding: Deciding, path: TaskPath): void => {
  if ((deciding.run.tasks.get(path)?.status ?? 'pending') !== 'pending') return;
  deciding.transition(path, 'begin', { attempt: (deciding.run.tasks.get(path)?.attempt ?? 0) + 1 });
};

const complete = (deciding: Deciding, path: TaskPath, directive: DirectiveOf<'complete'>): void => {
  ensureBegun(deciding, path);
  cancelBelow(deciding, path);
  const settled = settle(deciding, path, directive.output);
  if ('error' in settled) return fail(deciding, path, { kind: 'fail', error: settled.error });
  deciding.transition(path, 'complete', { ...settled, ...(directive.next && { next: directive.next }), ...usedSignals(directive) });
};

const usedSignals = ({ signalIds = [] }: DirectiveOf<'complete'>): TransitionFacts => {
  const last = signalIds.at(-1);
  if (last === undefined) return {};
  return signalIds.length === 1 ? { signalId: last } : { signalId: last, signalIds };
};

const settle = (deciding: Deciding, path: TaskPath, output: Json): ReturnType<typeof settleOutput> => {
  const spec = taskAt(deciding.definition, path);
  const scope = spec.outputs === undefined ? {} : taskScope(deciding.run, deciding.definition, path, spec.outputs.references);
  return settleOutput(spec, output, scope);
};

const fail = (deciding: Deciding, path: TaskPath, { error, next, childRun }: DirectiveOf<'fail'>): void => {
  ensureBegun(deciding, path);
  if (isUnderWay(deciding, path)) cancelBelow(deciding, path);
  if (startScopeRollback(deciding, path, error)) return;
  deciding.transition(path, 'fail', { error, ...(next && { next }), ...(childRun && { childRun }) });
};

/** Whether somebody runs a child, or may be about to. Children that nobody has heard of stay pending. */
const isUnderWay = ({ run }: Deciding, path: TaskPath): boolean => {
  const counts = run.tasks.get(path)?.children?.counts;
  return counts !== undefined && counts.assigned + counts.in_progress + counts.waiting + (run.handed.get(path)?.size ?? 0) > 0;
};

const cancelChild = (deciding: Deciding, path: TaskPath): void => {
  cancelBelow(deciding, path);
  const status = deciding.run.tasks.get(path)?.status;
  if (status === 'pending' || (status !== undefined && isActive(status))) deciding.transition(path, 'cancel');
};

const planChild = (deciding: Deciding, path: TaskPath, { signalId }: DirectiveOf<'planChild'>): void => {
  const index = deciding.run.tasks.get(path)?.children?.plan.childCount ?? 0;
  const type = taskAt(deciding.definition, path).each?.type ?? '';
  deciding.countPlanned(type);
  deciding.emit(path, { type: 'ChildPlanned', data: { index, type, signalId, at: deciding.now } });
};

/** The task itself is over its limit. */
export const timeOut = (deciding: Deciding, path: TaskPath, error: FailureDetail): void => {
  ensureBegun(deciding, path);
  cancelBelow(deciding, path);
  if (startScopeRollback(deciding, path, error)) return;
  deciding.transition(path, 'timeOut', { error });
};
