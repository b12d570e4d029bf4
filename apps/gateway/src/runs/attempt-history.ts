import { openEvent, type FailureDetail, type RecordedEvent, type TaskPath, type TaskStatus, type TaskTransitioned } from '@foldwork/events';

/** One try of a task. Times are milliseconds since 1970. */
export interface Attempt {
  readonly attempt: number;
  readonly startedAt: number;
  finishedAt?: number;
  /** How it ended; the present status while it goes on. */
  status: TaskStatus;
  executor?: string;
  error?: FailureDetail;
}

/** All attempts of all tasks, earlier ones included; the run's state keeps only the latest of each. Pure. */
export const attemptHistory = (events: Iterable<RecordedEvent>): ReadonlyMap<TaskPath, readonly Attempt[]> => {
  const history = new Map<TaskPath, Attempt[]>();
  for (const recorded of events) {
    if (recorded.type !== 'TaskTransitioned') continue;
    const event = openEvent(recorded);
    if (event.type === 'TaskTransitioned') note(history, recorded.task, event.data);
  }
  return history;
};

const note = (history: Map<TaskPath, Attempt[]>, path: TaskPath, data: TaskTransitioned): void => {
  const latest = history.get(path)?.at(-1);
  if (data.from === 'pending') begin(history, path, data);
  else if (data.transition !== 'retry' && latest !== undefined) proceed(latest, data);
  if (data.starts === undefined) return;
  const { task, attempt } = data.starts;
  add(history, task, { attempt, startedAt: data.at, status: 'in_progress', ...(data.executor !== undefined && { executor: data.executor }) });
};

/** A task that is skipped or canceled before it began was never tried. */
const begin = (history: Map<TaskPath, Attempt[]>, path: TaskPath, data: TaskTransitioned): void => {
  if (data.to === 'skipped' || data.to === 'canceled') return;
  const { attempt, at: startedAt, to: status, executor, error } = data;
  const ended = status === 'assigned' || status === 'in_progress' || status === 'waiting' ? {} : { finishedAt: startedAt };
  add(history, path, { attempt, startedAt, status, ...ended, ...(executor !== undefined && { executor }), ...(error !== undefined && { error }) });
};

const proceed = (attempt: Attempt, { to, at, executor, error, transition }: TaskTransitioned): void => {
  attempt.status = to;
  if (executor !== undefined) attempt.executor = executor;
  if (error !== undefined) attempt.error = error;
  if (transition !== 'start') attempt.finishedAt = at;
};

const add = (history: Map<TaskPath, Attempt[]>, path: TaskPath, attempt: Attempt): void => {
  const attempts = history.get(path);
  if (attempts === undefined) history.set(path, [attempt]);
  else attempts.push(attempt);
};
