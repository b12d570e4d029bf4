import { childPath, RUN_STREAM, type DomainEvent, type EventDataByType } from '@foldwork/events/contracts';
import { addTask } from './add-task';
import { isActive } from '../task/task-machine';
import { forgetHandedOut } from './children';
import type { RunState, RunStatus } from './run.state';

type RunHandlers = { [T in keyof EventDataByType]?: (run: RunState, data: EventDataByType[T]) => void };

/** What each event of the run's own stream means. Types that are not listed do not concern the run. */
const HANDLERS: RunHandlers = {
  RunPlanned: (run, { tasks, at }) => {
    run.planned = true;
    run.status = 'running';
    run.startedAt = at;
    run.rootTasks = tasks.map(({ id }) => id);
    for (const { id, type } of tasks) addTask(run, childPath(RUN_STREAM, id), type);
  },
  RunAdmitted: (run, { at }) => {
    run.admitted = true;
    if (run.limitFrom !== undefined) run.limitFrom = at;
    markOpen(run);
  },
  RunCompleted: (run, { output, at }) => {
    run.output = output;
    end(run, 'succeeded', at);
  },
  RunFailed: (run, { error, task, retryAt, at }) => {
    run.error = error;
    if (task !== undefined) run.failedTask = task;
    if (retryAt !== undefined) run.retryAt = retryAt;
    end(run, error.code === 'TASK_ESCALATED' ? 'escalated' : 'failed', at);
  },
  RunRetried: (run, { attempt, automatic, at }) => {
    if (!automatic) run.limitFrom = at;
    // one that failed for good gave its place in the lane away
    if (run.request.lane !== undefined && run.retryAt === undefined) run.admitted = false;
    run.attempt = attempt;
    run.status = 'running';
    delete run.endedAt;
    delete run.rollback;
    delete run.error;
    delete run.failedTask;
    delete run.retryAt;
    delete run.cancel;
    run.dirty.add(RUN_STREAM);
  },
  RunCancelRequested: (run, { reason }) => {
    run.cancel = reason === undefined ? {} : { reason };
    run.dirty.add(RUN_STREAM);
  },
  RunCanceled: (run, { at }) => {
    delete run.retryAt;
    delete run.error;
    delete run.failedTask;
    end(run, 'canceled', at);
  },
  RunPaused: (run) => {
    run.paused = true;
  },
  RunResumed: (run, { at }) => {
    run.paused = false;
    forgetHandedOut(run, at); // executors drop what they had not begun
    markOpen(run);
  },
  RunRollbackStarted: (run, { tasks, error, task }) => {
    run.rollback = { tasks, error };
    run.error = error;
    if (task !== undefined) run.failedTask = task;
    run.status = 'rolling_back';
    run.dirty.add(RUN_STREAM);
  },
  RunRolledBack: (run, { at }) => end(run, 'rolled_back', at),
};

export const applyRunEvent = (run: RunState, event: DomainEvent): void => {
  // A mapped type cannot tell TypeScript that handler and data belong to the same event; the key does.
  const handle = HANDLERS[event.type] as ((run: RunState, data: DomainEvent['data']) => void) | undefined;
  handle?.(run, event.data);
};

/** Everything that the engine itself has under way. */
export const markOpen = (run: RunState): void => {
  run.dirty.add(RUN_STREAM);
  for (const { path, status, executor } of run.tasks.values()) if (isActive(status) && executor === undefined) run.dirty.add(path);
};

const end = (run: RunState, status: RunStatus, at: number): void => {
  run.status = status;
  run.endedAt = at;
};
