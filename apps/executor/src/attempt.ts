import { formatRunId, type FailureDetail, type Json, type JsonObject, type RecordedEffect, type SegmentTask, type StepCommand } from '@foldwork/events';
import type { CompiledTask } from '@foldwork/domain';
import type { Action, ActionContext } from '@foldwork/actions';

/** One attempt, ready to be claimed: everything that had to be worked out is in it. */
export interface PreparedAttempt {
  readonly command: StepCommand;
  readonly task: SegmentTask;
  readonly spec: CompiledTask;
  readonly action: Action<never>;
  /** As recorded. */
  readonly input: Json | undefined;
  /** As the action wants it. */
  readonly parsedInput: never;
  readonly effectKey: string;
  readonly effect: RecordedEffect | undefined;
}

export type AttemptResult =
  | { readonly status: 'completed'; readonly output: Json }
  | { readonly status: 'failed'; readonly error: FailureDetail }
  | { readonly status: 'escalated'; readonly error: FailureDetail };

/** Independent of the attempt: the same for every repetition of this task's effect. */
export const defaultEffectKey = ({ runId }: StepCommand, { path }: SegmentTask): string => `${formatRunId(runId)}/${path}`;

/** What lies between an attempt and the log. */
export interface AttemptRecorder {
  recordSideEffect(effect: JsonObject): Promise<void>;
  recordVerification(answer: 'applied' | 'not_applied' | 'unknown', result: Json): Promise<void>;
  readonly sideEffects: Readonly<JsonObject>;
}

export const actionContext = (
  attempt: PreparedAttempt,
  recorder: AttemptRecorder,
  signal: AbortSignal,
  extras: Pick<ActionContext, 'heartbeat' | 'log'>,
): ActionContext => ({
  runId: formatRunId(attempt.command.runId),
  workflow: attempt.command.workflow,
  task: attempt.task.path,
  attempt: attempt.task.attempt,
  effectKey: attempt.effectKey,
  signal,
  get sideEffects() {
    return recorder.sideEffects;
  },
  recordSideEffect: (effect) => recorder.recordSideEffect(effect),
  ...extras,
});
