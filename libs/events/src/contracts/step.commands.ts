import type { NewEvent } from './envelope';
import type { DefinitionHash, RunId, TaskPath } from './ids';
import type { Json } from './json';
import type { FailureDetail } from './domain-event.events';

/**
 * The planner's wish that an executor runs some segments of one run. A segment is a list of consecutive basic tasks, run
 * one after another until one does not complete; segments of one command are independent of each other. May be lost,
 * doubled or late: the versions make a stale one harmless.
 */
export interface StepCommand {
  readonly runId: RunId;
  /** Of the run's own stream when this was decided: a pause that came later forbids to begin what is not begun. */
  readonly runVersion: number;
  readonly workflow: string;
  readonly namespace: string;
  /** Of the log; a command from before a restore is dropped. */
  readonly epoch: string;
  readonly definition: DefinitionHash;
  readonly pool: string;
  /** Of the run; goes on into the events of its attempts and to its actions. */
  readonly traceparent?: string;
  readonly segments: readonly (readonly SegmentTask[])[];
  /**
   * What was decided together with this command and is not in the log yet: append it with the claim of the first task, both
   * or none. A command with a plan has one segment.
   */
  readonly plan?: readonly NewEvent[];
  /** Variables that the expressions of these tasks refer to. */
  readonly scope: { readonly [name: string]: Json };
}

export interface SegmentTask {
  readonly path: TaskPath;
  /** Version of the task's stream before the claim. */
  readonly version: number;
  /** The attempt that the claim begins. */
  readonly attempt: number;
  readonly verify?: 'first' | 'only';
  /** The last attempt that the retry policy gives. */
  readonly last?: boolean;
  /** Side effects known from earlier attempts. */
  readonly sideEffects?: { readonly [key: string]: Json };
  /** Overlay from a transition (`onSuccess.with`). */
  readonly overlay?: Json;
  /** The task's own variables inside a collection: item and index. */
  readonly locals?: { readonly [name: string]: Json };
  /** What the containers around it put beneath its own `with`. */
  readonly inherited?: { readonly [key: string]: Json };
  /** How the attempt before ended. */
  readonly error?: FailureDetail;
  /** Of the finished task, when it is to be undone. */
  readonly output?: Json;
  /**
   * With this task's success the run succeeds: nothing is left to decide. Append `RunCompleted` at this version of the
   * run's stream together with the outcome; if the run has moved meanwhile, record the outcome alone and ask for a decision.
   */
  readonly endsRun?: { readonly version: number };
  /**
   * Run the task's undo instead of its action; `attempt` counts the tries to undo it. With `verify: 'first'` nobody knows
   * whether the effect took place: ask, and if it did not, record the undo as completed without running it.
   */
  readonly undo?: boolean;
}
