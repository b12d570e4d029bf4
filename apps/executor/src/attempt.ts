import { formatRunId, type FailureDetail, type Json, type JsonObject, type RecordedEffect, type SegmentTask, type StepCommand } from '@foldwork/events';
import type { CompiledTask } from '@foldwork/domain';
import type { Action } from '@foldwork/actions';

/** One attempt, ready to be claimed: everything that had to be worked out is in it. */
export interface PreparedAttempt {
  readonly command: StepCommand;
  readonly task: SegmentTask;
  readonly spec: CompiledTask;
  readonly action: Action<never>;
  /** As recorded: secrets in it are references. */
  readonly input: Json | undefined;
  /** As the action takes it; `undefined` when it has secrets in it, which are put in just before the action runs. */
  readonly parsed: { readonly value: never } | undefined;
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
