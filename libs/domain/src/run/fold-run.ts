import { lineageOf, openEvent, type DomainEvent, type PlacedEvent, type RunRequested } from '@foldwork/events/contracts';
import { applyRunEvent } from './apply-run-event';
import { applyTaskEvent } from './apply-task-event';
import type { RunState } from './run.state';

/** Where an event stands, as far as folding cares. */
export type EventPlace = Pick<PlacedEvent, 'runId' | 'task' | 'version' | 'namespace'>;

/**
 * Folds a run from its events in log order; `undefined` when the first one is not `RunRequested`. Pure: the same events
 * give the same state on every machine and in every release (golden logs prove it).
 */
export const foldRun = (events: Iterable<PlacedEvent>): RunState | undefined => {
  let run: RunState | undefined;
  for (const recorded of events) run = foldEvent(run, recorded);
  return run;
};

/** One more event; one that is already in the state changes nothing. */
export const foldEvent = (run: RunState | undefined, recorded: PlacedEvent): RunState | undefined => {
  if (run === undefined) {
    if (recorded.type !== 'RunRequested') return undefined;
    const opened = openEvent(recorded);
    const lineage = lineageOf(recorded.metadata);
    return opened.type === 'RunRequested' ? { ...initialRun(recorded, opened.data), position: recorded.position, ...(lineage && { lineage }) } : undefined;
  }
  if (recorded.position <= run.position) return run;
  applyEvent(run, recorded, () => openEvent(recorded));
  run.position = recorded.position;
  return run;
};

/** Applies an event at its version; one whose version the state already has is skipped. */
export const applyEvent = (run: RunState, place: EventPlace, open: () => DomainEvent): void => {
  const known = place.task === '' ? run.version : (run.tasks.get(place.task)?.version ?? 0);
  if (place.version <= known) return;
  const event = open();
  run.eventCount += 1;
  if (place.task === '') {
    run.version = place.version;
    applyRunEvent(run, event);
  } else applyTaskEvent(run, place, event);
};

export const initialRun = (place: EventPlace, request: RunRequested): RunState => ({
  runId: place.runId,
  namespace: place.namespace,
  workflow: request.workflow,
  definition: request.definition,
  input: request.input,
  request,
  status: 'pending',
  version: 1,
  position: 0,
  eventCount: 1,
  attempt: 1,
  planned: false,
  admitted: request.lane === undefined,
  paused: false,
  rootTasks: [],
  tasks: new Map(),
  executing: new Set(),
  waiting: new Set(),
  signals: new Map(),
  inbox: new Map(),
  childRuns: new Map(),
  wakes: new Map(),
  handed: new Map(),
  refused: new Map(),
  dirty: new Set([place.task]),
});
