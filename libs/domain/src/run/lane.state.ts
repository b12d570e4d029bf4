import { openEvent, type RecordedEvent, type RunId } from '@foldwork/events/contracts';

/**
 * Who may begin in which lane. Folded from the run events of all runs, in log order; every planner folds all of them,
 * whichever runs it owns. At most `limit` runs of a lane are under way; the others queue in the order of their requests.
 *
 * Why planners need not agree with each other: a run at the head of the queue with a free place stays so whatever comes
 * later in the log, except for its own cancellation, and that changes the version that its `RunAdmitted` is appended at.
 */
export interface LaneBook {
  /** Those that somebody is in or queues for, by namespace and key. */
  readonly lanes: Map<string, LaneState>;
  /** Of each run that is in its lane or queues for it. */
  readonly places: Map<RunId, LanePlace>;
}

export interface LaneState {
  readonly key: string;
  /** The newest one that a run was requested with. */
  limit: number;
  readonly running: Set<RunId>;
  /** In order. */
  readonly queue: Set<RunId>;
}

interface LanePlace {
  readonly name: string;
  readonly key: string;
  readonly limit: number;
}

export const emptyLaneBook = (): LaneBook => ({ lanes: new Map(), places: new Map() });

/**
 * Whether a person has a failed run tried again of which the book knows no lane (any more): its `RunRequested` has to be
 * taken in once more before the event. A run that is tried again by itself keeps its place meanwhile.
 */
export const lacksRequest = ({ places }: LaneBook, recorded: FoldedEvent): boolean => {
  if (recorded.task !== '' || recorded.type !== 'RunRetried' || places.has(recorded.runId)) return false;
  const event = openEvent(recorded);
  return event.type === 'RunRetried' && !event.data.automatic;
};

type FoldedEvent = Pick<RecordedEvent, 'runId' | 'task' | 'type' | 'schemaVersion' | 'data' | 'namespace'>;

/** Takes in one event. Events that do not concern lanes cost a comparison. */
export const foldLanes = (book: LaneBook, recorded: FoldedEvent): void => {
  if (recorded.task !== '' || !CONCERNS.has(recorded.type)) return;
  if (recorded.type !== 'RunRequested' && !book.places.has(recorded.runId)) return;
  const event = openEvent(recorded);
  const { runId } = recorded;
  if (event.type === 'RunRequested') enter(book, recorded, event.data.lane);
  else if (event.type === 'RunAdmitted') admit(book, runId);
  else if (event.type === 'RunRetried') queueUp(book, runId);
  else if (event.type !== 'RunFailed' || event.data.retryAt === undefined) leaveLane(book, runId);
};

const CONCERNS: ReadonlySet<string> = new Set(['RunRequested', 'RunAdmitted', 'RunRetried', 'RunCompleted', 'RunFailed', 'RunCanceled', 'RunRolledBack']);

const enter = (book: LaneBook, { runId, namespace }: Pick<RecordedEvent, 'runId' | 'namespace'>, lane: { key: string; limit: number } | undefined): void => {
  if (lane === undefined) return;
  book.places.set(runId, { ...lane, name: `${namespace}/${lane.key}` });
  queueUp(book, runId);
};

/** At the end, unless it is in the lane: a run that gave its place away queues again when a person has it tried again. */
const queueUp = (book: LaneBook, runId: RunId): void => {
  const place = book.places.get(runId);
  if (place === undefined) return;
  const lane = book.lanes.get(place.name) ?? { key: place.key, limit: place.limit, running: new Set(), queue: new Set() };
  book.lanes.set(place.name, lane);
  lane.limit = place.limit;
  if (!lane.running.has(runId)) lane.queue.add(runId);
};

const admit = (book: LaneBook, runId: RunId): void => {
  const lane = book.lanes.get(book.places.get(runId)?.name ?? '');
  if (lane?.queue.delete(runId) === true) lane.running.add(runId);
};

/** Also for a run that nobody can say anything of: the others go on. */
export const leaveLane = (book: LaneBook, runId: RunId): void => {
  const name = book.places.get(runId)?.name ?? '';
  const lane = book.lanes.get(name);
  lane?.queue.delete(runId);
  lane?.running.delete(runId);
  if (lane !== undefined && lane.queue.size + lane.running.size === 0) book.lanes.delete(name);
  book.places.delete(runId);
};

/** Runs that may begin now, in order: those of their queue that have a free place. Append `admission` of each. */
export const admissible = (book: LaneBook): readonly { readonly runId: RunId; readonly lane: string }[] =>
  [...book.lanes.values()].flatMap(({ key, limit, running, queue }) =>
    [...queue].slice(0, Math.max(0, limit - running.size)).map((runId) => ({ runId, lane: key })),
  );
