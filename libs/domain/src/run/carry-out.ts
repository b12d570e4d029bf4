import type { FailureDetail, Json, TaskPath } from '@foldwork/events/contracts';
import { ExpressionError } from '../expressions';
import { taskAt } from '../plan/compiled-definition';
import type { Directive } from '../task-types/orchestrator';
import type { Deciding } from './deciding';
import type { TransitionFacts } from './emission';
import { cancelBelow } from './drive-task';
import { settleOutput } from './settle-output';
import { taskScope } from './task-scope';

type DirectiveOf<K extends Directive['kind']> = Extract<Directive, { kind: K }>;

/** Turns directives that concern the task itself into events. Those about children are the container's (see settle). */
export const carryOut = (deciding: Deciding, path: TaskPath, directives: readonly Directive[]): void => {
  for (const directive of directives) {
    if (directive.kind === 'begin') begin(deciding, path, 'begin', directive);
    else if (directive.kind === 'wait') begin(deciding, path, 'wait', directive);
    else if (directive.kind === 'complete') complete(deciding, path, directive);
    else if (directive.kind === 'fail') fail(deciding, path, directive);
    else if (directive.kind === 'cancelChild') cancelChild(deciding, directive.path);
    else if (directive.kind === 'wakeAt') deciding.wakeAt(path, directive.at);
  }
};

const begin = (deciding: Deciding, path: TaskPath, transition: 'begin' | 'wait', directive: DirectiveOf<'begin'> | DirectiveOf<'wait'>): void => {
  const task = deciding.run.tasks.get(path);
  const facts: { -readonly [K in keyof TransitionFacts]: TransitionFacts[K] } = { attempt: (task?.attempt ?? 0) + 1 };
  if (directive.input !== undefined) facts.input = directive.input;
  if (directive.kind === 'wait' && directive.until !== undefined) facts.until = directive.until;
  // A container that is tried again keeps its children: those completed stay completed.
  if (directive.kind === 'begin' && directive.children !== undefined && task?.children === undefined) facts.children = directive.children;
  deciding.transition(path, transition, facts);
};

const ensureBegun = (deciding: Deciding, path: TaskPath): void => {
  if ((deciding.run.tasks.get(path)?.status ?? 'pending') === 'pending') begin(deciding, path, 'begin', { kind: 'begin' });
};

const complete = (deciding: Deciding, path: TaskPath, directive: DirectiveOf<'complete'>): void => {
  ensureBegun(deciding, path);
  const settled = settle(deciding, path, directive.output);
  if ('error' in settled) return deciding.transition(path, 'fail', settled);
  const { next, signalId } = directive;
  deciding.transition(path, 'complete', { ...settled, ...(next && { next }), ...(signalId !== undefined && { signalId }) });
};

const settle = (deciding: Deciding, path: TaskPath, output: Json): { output: Json } | { error: FailureDetail } => {
  const spec = taskAt(deciding.definition, path);
  try {
    const scope = spec.outputs === undefined ? {} : taskScope(deciding.run, deciding.definition, path, spec.outputs.references);
    return settleOutput(spec, output, scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: { code: 'EXPRESSION_ERROR', message: error.message } };
  }
};

const fail = (deciding: Deciding, path: TaskPath, directive: DirectiveOf<'fail'>): void => {
  ensureBegun(deciding, path);
  deciding.transition(path, 'fail', { error: directive.error, ...(directive.next && { next: directive.next }) });
};

const cancelChild = (deciding: Deciding, path: TaskPath): void => {
  cancelBelow(deciding, path);
  deciding.transition(path, 'cancel');
};
