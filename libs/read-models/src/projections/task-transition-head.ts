import type { TaskStatus, TaskTransition } from '@foldwork/events/contracts';

/** The part of a `TaskTransitioned` that counting needs. Most events of a log are of this type. */
export interface TaskTransitionHead {
  readonly transition: TaskTransition;
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  readonly attempt: number;
  readonly at: number;
  readonly starts?: { readonly task: string; readonly attempt: number };
  readonly children?: PlannedHead;
}

/** How many children of which types. */
interface PlannedHead {
  readonly childCount: number;
  readonly tasks?: readonly { readonly type: string }[];
  readonly itemType?: string;
}

export type ReadTransitionHead = (data: string) => TaskTransitionHead;

/**
 * Plain `JSON.parse`: unlike `parseJson` it rounds numbers beyond 2^53, which are in outputs only, and nobody here looks
 * at outputs. Throws `SyntaxError` on malformed text, which the log never holds.
 */
export const readTransitionHead: ReadTransitionHead = (data) => JSON.parse(data) as TaskTransitionHead; // the log's writers made it

/** Longer texts are read again instead: remembering them would keep large outputs in memory. */
const REMEMBERED_LENGTH_MAX = 4_096;

/** Remembers the newest heads, for consumers that read the same events one after another. */
export const rememberTransitionHeads = (headsMax: number): ReadTransitionHead => {
  let newer = new Map<string, TaskTransitionHead>();
  let older = newer;
  return (data) => {
    const known = newer.get(data) ?? older.get(data);
    if (known !== undefined) return known;
    const head = withoutPayload(readTransitionHead(data));
    if (data.length > REMEMBERED_LENGTH_MAX) return head;
    if (newer.size >= headsMax / 2) [older, newer] = [newer, new Map()];
    newer.set(data, head);
    return head;
  };
};

const withoutPayload = ({ transition, from, to, attempt, at, starts, children }: TaskTransitionHead): TaskTransitionHead => ({
  transition, from, to, attempt, at,
  ...(starts === undefined ? {} : { starts: { task: starts.task, attempt: starts.attempt } }),
  ...(children === undefined ? {} : { children: plannedHead(children) }),
});

const plannedHead = ({ childCount, tasks, itemType }: PlannedHead): PlannedHead => ({
  childCount,
  ...(tasks === undefined ? {} : { tasks: tasks.map(({ type }) => ({ type })) }),
  ...(itemType === undefined ? {} : { itemType }),
});
