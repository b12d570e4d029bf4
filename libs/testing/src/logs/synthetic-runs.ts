import { randomBytes } from 'node:crypto';
import {
  newEvent, RUN_STREAM, taskPath,
  type DefinitionHash, type DomainEvent, type EventMetadata, type NewEvent, type RunId, type TaskPath,
} from '@foldwork/events';

export interface SyntheticRun {
  readonly runId: RunId;
  /** Appended one by one or together; each event is the next of its stream. */
  readonly appends: readonly (readonly NewEvent[])[];
}

export interface SyntheticRunOptions {
  readonly steps?: number;
  readonly namespace?: string;
  readonly workflow?: string;
  /** Milliseconds since 1970 of the request; each event comes 10 ms after the one before. */
  readonly at?: number;
  /** How it ends; default `succeeded`. A failed one fails at its last step. */
  readonly ending?: 'succeeded' | 'failed' | 'escalated' | 'canceled' | 'open';
  readonly input?: unknown;
  readonly metadata?: Partial<EventMetadata>;
}

const DEFINITION = 'd'.repeat(64) as DefinitionHash;

/** A UUIDv7 of that time. */
export const runIdAt = (at: number): RunId => {
  const hex = at.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as RunId;
};

/** The events that a run of basic steps leaves in the log: one per step, besides those of the run itself. */
export const syntheticRun = (options: SyntheticRunOptions = {}): SyntheticRun => {
  const { steps = 10, namespace = 'default', workflow = 'bench', at = Date.now(), ending = 'succeeded', input = {} } = options;
  const runId = runIdAt(at);
  const metadata: EventMetadata = { actor: 'test', ...options.metadata };
  const versions = new Map<TaskPath, number>();
  const appends: NewEvent[][] = [];
  let now = at - 10;
  const append = (task: TaskPath, event: (at: number) => object): void => {
    now += 10;
    const version = (versions.get(task) ?? 0) + 1;
    versions.set(task, version);
    appends.push([newEvent({ runId, namespace, metadata }, task, version, event(now) as DomainEvent, true)]); // the shapes below are those of the contracts
  };
  const tasks = Array.from({ length: steps }, (_, index) => ({ id: `step${index + 1}`, type: 'basic' }));
  append(RUN_STREAM, (time) => ({
    type: 'RunRequested',
    data: { workflow, definition: DEFINITION, input, at: time, retry: { delayMs: 30_000, maximum: 3 } },
  }));
  append(RUN_STREAM, (time) => ({ type: 'RunPlanned', data: { tasks, at: time } }));
  append(taskPath('step1'), (time) => ({
    type: 'TaskTransitioned',
    data: { transition: 'begin', from: 'pending', to: 'in_progress', attempt: 1, at: time, executor: 'executor-1#1', input: { n: 1 } },
  }));
  const finished = ending === 'succeeded' ? steps : steps - 1;
  for (let step = 1; step <= finished; step += 1) {
    append(taskPath(`step${step}`), (time) => ({
      type: 'TaskTransitioned',
      data: {
        transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: time, executor: 'executor-1#1',
        output: { ok: true, step, text: 'the answer of the action' },
        ...(step < steps && { starts: { task: `step${step + 1}`, attempt: 1, input: { n: step + 1 } } }),
      },
    }));
  }
  if (ending === 'failed' || ending === 'escalated') {
    const to = ending;
    const error = { code: to === 'failed' ? 'BROKEN' : 'TASK_ESCALATED', message: 'it broke' };
    append(taskPath(`step${steps}`), (time) => ({
      type: 'TaskTransitioned',
      data: { transition: to === 'failed' ? 'fail' : 'escalate', from: 'in_progress', to, attempt: 1, at: time, error },
    }));
    append(RUN_STREAM, (time) => ({ type: 'RunFailed', data: { error, task: `step${steps}`, at: time } }));
  }
  if (ending === 'canceled') {
    append(taskPath(`step${steps}`), (time) => ({
      type: 'TaskTransitioned', data: { transition: 'cancel', from: 'in_progress', to: 'canceled', attempt: 1, at: time },
    }));
    append(RUN_STREAM, (time) => ({ type: 'RunCanceled', data: { at: time } }));
  }
  if (ending === 'succeeded') append(RUN_STREAM, (time) => ({ type: 'RunCompleted', data: { output: { done: true }, at: time } }));
  return { runId, appends };
};
