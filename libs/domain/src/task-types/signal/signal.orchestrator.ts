import { parseRunId, type Json, type JsonObject, type RunId } from '@foldwork/events/contracts';
import { compileTemplate, ExpressionError } from '../../expressions';
import { derivedSignalId } from '../../run/outgoing';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { signalTaskType, type SignalTask } from './signal.definition';

/**
 * Delivers a signal to whoever waits for it. What is sent is resolved and recorded when the task begins, and its id comes
 * from run and task, so that delivering it again after a crash changes nothing.
 */
const signalV1: Orchestrator = {
  type: 'signal',
  version: 1,
  begin: (view) => [{ kind: 'begin', input: resolve(view) }],
  advance: (view) => {
    const signalId = derivedSignalId(view.run.runId, view.task.path);
    const dispatch = view.dispatched(signalId);
    if (dispatch === undefined) return [deliver(view, signalId)];
    if ('error' in dispatch) return [{ kind: 'fail', error: dispatch.error }];
    return [{ kind: 'complete', output: { signalDispatched: true, signalId, targets: [...dispatch.targets] } }];
  },
};

interface Resolved extends JsonObject {
  signal: string;
  payload: Json;
}

const resolve = (view: TaskView): Resolved => {
  const { signal } = view.spec.spec as SignalTask; // the registry hands a type its own specs
  const name = textOf(view, signal.id, 'signal.id');
  const run = signal.to?.run === undefined ? undefined : runIdOf(textOf(view, signal.to.run, 'signal.to.run'));
  const correlationId = signal.to?.correlationId === undefined ? undefined : textOf(view, signal.to.correlationId, 'signal.to.correlationId');
  return {
    signal: name,
    payload: signal.payload === undefined ? {} : view.evaluate(compileTemplate(signal.payload)),
    ...((run !== undefined || correlationId !== undefined) && { to: { ...(run !== undefined && { run }), ...(correlationId !== undefined && { correlationId }) } }),
  };
};

const textOf = (view: TaskView, text: string, field: string): string => {
  const value = view.evaluate(compileTemplate(text));
  if (value === null || typeof value === 'object' || String(value).trim() === '') throw new ExpressionError('expression_type', `${field} gives no text: ${text}`);
  return String(value);
};

const runIdOf = (text: string): RunId => {
  const runId = parseRunId(text);
  if (runId === undefined) throw new ExpressionError('expression_type', `signal.to.run is no run id: ${text}`);
  return runId;
};

const deliver = ({ task, now }: TaskView, signalId: string): Directive => {
  const { signal, payload, to } = task.input as Resolved & { to?: { run?: RunId; correlationId?: string } }; // recorded by `begin` above
  return { kind: 'dispatch', signal: { signalId, signal, payload, at: task.startedAt ?? now, ...(to !== undefined && { to }) } };
};

export const signal: TaskTypeModule = {
  definition: signalTaskType as TaskTypeModule['definition'],
  worker: 'engine',
  orchestrators: [signalV1],
};
