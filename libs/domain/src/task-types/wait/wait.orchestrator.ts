import type { FailureDetail, Json } from '@foldwork/events/contracts';
import { DurationError, parseDuration } from '../../definition';
import { compileTemplate, ExpressionError } from '../../expressions';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { awaitSignals, matchesOf } from './await-signals';
import { waitTaskType, type WaitTask } from './wait.definition';

/** Waits for a time, or for signals. The timer is set once, when the wait begins; nothing but its end moves it. */
const waitV1: Orchestrator = {
  type: 'wait',
  version: 1,
  begin: (view) => {
    const spec = specOf(view);
    if (spec.approval !== undefined) return [{ kind: 'fail', error: NO_APPROVALS }];
    const until = waitUntil(view, spec);
    const waitsFor = awaitedSignals(view, spec);
    return [{ kind: 'wait', ...(until !== undefined && { until }), ...(waitsFor.length > 0 && { waitsFor }) }];
  },
  advance: (view) => {
    const spec = specOf(view);
    const isOver = view.task.until !== undefined && view.now >= view.task.until;
    if (isOver && isForTime(spec)) return [{ kind: 'complete', output: { waitStatus: 'elapsed' } }];
    // A signal that was in the log before the limit counts, however late the engine looks.
    const answer = isForTime(spec) ? [] : awaitSignals(view, spec);
    if (answer.some(({ kind }) => kind === 'complete' || kind === 'fail')) return answer;
    if (isOver) return [timedOut(view, spec)];
    return view.task.until === undefined ? answer : [...answer, { kind: 'wakeAt', at: view.task.until }];
  },
};

/** Deciding by people comes with service repair; until then the language accepts it and the engine says no. */
const NO_APPROVALS: FailureDetail = { code: 'APPROVAL_NOT_AVAILABLE', message: 'waiting for an approval is not supported by this version' };

const specOf = ({ spec }: TaskView): WaitTask => spec.spec as WaitTask; // the registry hands a type its own specs

const isForTime = (spec: WaitTask): boolean => spec.for !== undefined || spec.until !== undefined;

const awaitedSignals = (view: TaskView, spec: WaitTask): { signal: string; correlationId?: string }[] => {
  const correlationId = spec.correlationId === undefined ? undefined : textOf(view.evaluate(compileTemplate(spec.correlationId)));
  const names = new Set(matchesOf(spec).map(({ signal }) => signal));
  return [...names].map((signal) => ({ signal, ...(correlationId !== undefined && { correlationId }) }));
};

const textOf = (value: Json): string => (value === null ? '' : String(value));

const waitUntil = (view: TaskView, spec: WaitTask): number | undefined => {
  if (spec.until !== undefined) return pointInTime(view, spec.until);
  const span = spec.for ?? spec.timeout;
  if (span === undefined) return undefined;
  return view.now + (typeof span === 'number' ? span : lateDuration(view, span, spec.for === undefined ? 1 : 0));
};

const pointInTime = (view: TaskView, text: string): number => {
  const at = Date.parse(textOf(view.evaluate(compileTemplate(text))));
  if (Number.isNaN(at)) throw new ExpressionError('expression_type', `${text} does not give a point in time`);
  return at;
};

const lateDuration = (view: TaskView, text: string, minimumMs: number): number => {
  const value = view.evaluate(compileTemplate(text));
  try {
    const span = parseDuration(typeof value === 'number' ? value : textOf(value));
    if (span >= minimumMs) return span;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
  }
  throw new ExpressionError('expression_type', `${text} does not give a duration of at least ${minimumMs} ms`);
};

const timedOut = ({ task }: TaskView, { onTimeout }: WaitTask): Directive => ({
  kind: 'fail',
  error: { code: 'WAIT_TIMEOUT', message: `nothing came within the time limit of ${task.path}` },
  ...(onTimeout !== undefined && { next: { task: onTimeout.next } }),
});

export const wait: TaskTypeModule = {
  definition: waitTaskType as TaskTypeModule['definition'],
  worker: 'engine',
  timeLimit: 'own',
  orchestrators: [waitV1],
};
