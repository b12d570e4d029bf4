import {
  openEvent, RUN_STREAM, stringifyJson,
  type DomainEvent, type EventOf, type FailureDetail, type RecordedEvent, type RunId, type RunRequested,
} from '@foldwork/events/contracts';
import { COUNT_BY_STATUS } from '../run-status';
import { unchangedRun, type ReadModelChanges, type RunChange, type RunStatusChange, type WorkflowChange } from './run-change';
import { readTransitionHead, type ReadTransitionHead, type TaskTransitionHead } from './task-transition-head';

/**
 * Events of the log → row changes, one per run and workflow however many events the batch holds. Pure.
 *  1. Projecting a log in pieces and applying the pieces in order gives the rows of projecting it at once.
 *  2. Only texts whose content counts are parsed: those of `TaskTransitioned` and of the few events of a run's own stream.
 */
export const projectReadModels = (events: readonly RecordedEvent[], readHead: ReadTransitionHead = readTransitionHead): ReadModelChanges => {
  const runs = new Map<RunId, RunChange>();
  const workflows = new Map<string, WorkflowChange>();
  for (const event of events) {
    if (event.type === 'WorkflowPublished') publish(workflows, event);
    else countEvent(changeOf(runs, event.runId), event, readHead);
  }
  return { runs: [...runs.values()], workflows: [...workflows.values()] };
};

const changeOf = (runs: Map<RunId, RunChange>, runId: RunId): RunChange => {
  const known = runs.get(runId);
  if (known !== undefined) return known;
  const change = unchangedRun(runId);
  runs.set(runId, change);
  return change;
};

const countEvent = (change: RunChange, event: RecordedEvent, readHead: ReadTransitionHead): void => {
  change.events += 1;
  change.position = event.position;
  if (event.type === 'TaskTransitioned') moveTask(change, event, readHead(event.data));
  else if (event.type === 'ChildPlanned') change.tasks.total += 1;
  else if (event.task === RUN_STREAM && OF_RUN.has(event.type)) changeRun(change, event);
};

/** A later visit of a loop (`check#2`) is planned by its first start, not by its list. */
const LATER_VISIT = /#\d+$/;

const moveTask = (change: RunChange, { task, version }: RecordedEvent, { from, to, starts, children }: TaskTransitionHead): void => {
  const { tasks } = change;
  const left = COUNT_BY_STATUS[from];
  const entered = COUNT_BY_STATUS[to];
  if (left !== undefined) tasks[left] -= 1;
  if (entered !== undefined) tasks[entered] += 1;
  if (children !== undefined) tasks.total += children.childCount;
  if (version === 1 && from === 'pending' && LATER_VISIT.test(task)) tasks.total += 1;
  if (starts === undefined) return;
  tasks.active += 1;
  if (starts.attempt === 1 && LATER_VISIT.test(starts.task)) tasks.total += 1;
};

/** Events of a run's own stream that show in its summary. The others need no parsing. */
const OF_RUN: ReadonlySet<string> = new Set<DomainEvent['type']>([
  'RunRequested', 'RunPlanned', 'RunCompleted', 'RunFailed', 'RunRetried', 'RunCanceled', 'RunRollbackStarted', 'RunRolledBack',
]);

const changeRun = (change: RunChange, recorded: RecordedEvent): void => {
  const event = openEvent(recorded);
  switch (event.type) {
    case 'RunRequested':
      return request(change, recorded.namespace, event.data);
    case 'RunPlanned':
      change.startedAt = event.data.at;
      change.tasks.total += event.data.tasks.length;
      change.status = { status: 'running' };
      return;
    case 'RunRetried':
      change.attempt = event.data.attempt;
      change.status = { status: 'running' };
      return;
    case 'RunCompleted':
      change.status = { status: 'succeeded', finishedAt: event.data.at };
      return;
    case 'RunFailed':
      change.status = endedBadly(event.data.error.code === ESCALATED ? 'escalated' : 'failed', event.data);
      return;
    case 'RunRollbackStarted':
      change.status = { status: 'running', error: errorOf(event.data) };
      return;
    case 'RunRolledBack':
      change.status = endedBadly('rolled_back', event.data);
      return;
    case 'RunCanceled':
      change.status = { status: 'canceled', finishedAt: event.data.at };
      return;
    default:
      return;
  }
};

/** Code of a run that ended because a person has to decide about one of its tasks. */
const ESCALATED = 'TASK_ESCALATED';

const endedBadly = (status: 'failed' | 'escalated' | 'rolled_back', data: EventOf<'RunFailed' | 'RunRolledBack'>['data']) => ({
  status,
  finishedAt: data.at,
  error: errorOf(data),
});

const errorOf = ({ error }: { readonly error: FailureDetail }): NonNullable<RunStatusChange['error']> => ({ code: error.code, message: error.message });

/** Characters of the input's JSON text that a search can find. */
const EXCERPT_LENGTH = 500;

const request = (change: RunChange, namespace: string, { workflow, input, at }: RunRequested): void => {
  change.birth = { namespace, workflow, requestedAt: at, inputExcerpt: stringifyJson(input).slice(0, EXCERPT_LENGTH) };
  change.status = { status: 'pending' };
};

const publish = (workflows: Map<string, WorkflowChange>, recorded: RecordedEvent): void => {
  const event = openEvent(recorded);
  if (event.type !== 'WorkflowPublished') return;
  const { workflow, definition, labels, at } = event.data;
  const key = `${recorded.namespace}\n${workflow}`;
  const change = workflows.get(key) ?? { namespace: recorded.namespace, name: workflow, labels: {}, publishedAt: at, position: 0 };
  for (const label of labels) change.labels[label] = definition;
  change.publishedAt = at;
  change.position = recorded.position;
  workflows.set(key, change);
};
