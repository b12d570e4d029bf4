import { openEvent, type RecordedEvent } from '@foldwork/events';

/** Ends wake planners where others wait for them; all else that a planner decides wakes nobody. */
const ENDS: ReadonlySet<string> = new Set(['RunCompleted', 'RunFailed', 'RunCanceled', 'RunRolledBack']);

/**
 * Whether an engine decided this event: planners, and the executor that ends a run with its last step. What a planner
 * appends for others (requests, signals, admissions, commands) asks for a decision and is none.
 */
export const isDecided = (event: RecordedEvent): boolean => {
  if (event.type === 'RunCompleted') return true;
  return actorOf(event).startsWith('planner') && (!event.decide || ENDS.has(event.type));
};

const actorOf = ({ metadata }: RecordedEvent): string => (JSON.parse(metadata) as { actor?: string }).actor ?? ''; // written by newEvent

/** The events of the decision that begins at this index: neighbours of one moment. Empty: none begins here. */
export const decisionAt = (events: readonly RecordedEvent[], index: number): readonly RecordedEvent[] => {
  const first = events[index];
  if (first === undefined || !isDecided(first)) return [];
  const { at } = openEvent(first).data;
  let end = index + 1;
  for (let next = events[end]; next !== undefined && isDecided(next) && openEvent(next).data.at === at && actorOf(next) === actorOf(first); next = events[end]) end += 1;
  return events.slice(index, end);
};

/** What an executor begins with this event: paths, or `undo <path>`. */
export const startedBy = (recorded: RecordedEvent): readonly string[] => {
  const event = openEvent(recorded);
  if (event.type === 'TaskUndoTransitioned') return event.data.to === 'started' ? [`undo ${recorded.task}`] : [];
  if (event.type !== 'TaskTransitioned' || event.data.executor === undefined || !actorOf(recorded).startsWith('executor')) return [];
  const { transition, starts } = event.data;
  return [...(transition === 'begin' ? [recorded.task] : []), ...(starts === undefined ? [] : [starts.task])];
};
