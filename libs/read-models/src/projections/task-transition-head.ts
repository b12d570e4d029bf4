import type { TaskStatus, TaskTransition } from '@foldwork/events/contracts';

/** The part of a `TaskTransitioned` that counting needs. Most events of a log are of this type. */
export interface TaskTransitionHead {
  readonly transition: TaskTransition;
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  readonly attempt: number;
  readonly at: number;
  readonly starts?: { readonly task: string; readonly attempt: number };
  readonly children?: { readonly childCount: number };
}

/**
 * Plain `JSON.parse`: unlike `parseJson` it rounds numbers beyond 2^53, which are in outputs only, and nobody here looks
 * at outputs. Throws `SyntaxError` on malformed text, which the log never holds.
 */
export const readTransitionHead = (data: string): TaskTransitionHead => JSON.parse(data) as TaskTransitionHead; // the log's writers made it
