import { parseDuration } from '../../definition';
import { compileTemplate, ExpressionError } from '../../expressions';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { waitTaskType, type WaitTask } from './wait.definition';

/** Waits for a time, or for a signal. */
const waitV1: Orchestrator = {
  type: 'wait',
  version: 1,
  begin: (view) => {
    const until = waitUntil(view);
    return [{ kind: 'wait', ...(until !== undefined && { until }) }];
  },
  advance: (view) => afterTime(view),
};

const waitUntil = (view: TaskView): number | undefined => {
  const spec = view.spec.spec as WaitTask; // the registry hands a type its own specs
  if (spec.until !== undefined) return pointInTime(view, spec.until);
  const span = spec.for ?? spec.timeout;
  if (span === undefined) return undefined;
  return view.now + (typeof span === 'number' ? span : lateDuration(view, span));
};

const pointInTime = (view: TaskView, text: string): number => {
  const at = Date.parse(String(view.evaluate(compileTemplate(text))));
  if (Number.isNaN(at)) throw new ExpressionError('expression_type', `${text} does not give a point in time`);
  return at;
};

const lateDuration = (view: TaskView, text: string): number => {
  const value = view.evaluate(compileTemplate(text));
  return parseDuration(typeof value === 'number' ? value : String(value));
};

const afterTime = ({ spec, task, now }: TaskView): Directive[] => {
  if (task.until === undefined) return [];
  if (now < task.until) return [{ kind: 'wakeAt', at: task.until }];
  const wait = spec.spec as WaitTask; // the registry hands a type its own specs
  if (wait.for !== undefined || wait.until !== undefined) return [{ kind: 'complete', output: { waitStatus: 'elapsed' } }];
  const next = wait.onTimeout === undefined ? {} : { next: { task: wait.onTimeout.next } };
  return [{ kind: 'fail', error: { code: 'WAIT_TIMEOUT', message: `nothing came within the time limit of ${task.path}` }, ...next }];
};

export const wait: TaskTypeModule = { definition: waitTaskType as TaskTypeModule['definition'], orchestrators: [waitV1] };
