import type { EventMetadata, Json, NewEvent, TaskPath } from '@foldwork/events/contracts';
import { assertNever } from '../assert-never';
import { Emission } from './emission';
import { canBeRetried, renewAround, renewRun } from './renew';
import { isOpenRun, type RunState } from './run.state';

/** What a person may ask of a run. */
export type OperatorCommand =
  | { readonly kind: 'retry'; readonly resumeFromStep?: string; readonly reason?: string }
  | { readonly kind: 'cancel'; readonly reason?: string }
  | { readonly kind: 'pause'; readonly reason?: string }
  | { readonly kind: 'resume'; readonly reason?: string }
  | { readonly kind: 'resolve'; readonly task: TaskPath; readonly as: 'completed' | 'failed'; readonly output?: Json; readonly reason: string };

export type OperatorRejection =
  | 'retry_not_allowed' | 'invalid_resume_step' | 'cancel_not_allowed' | 'pause_not_allowed' | 'resume_not_allowed'
  | 'task_not_found' | 'task_not_escalated';

export type OperatorDecision =
  | { readonly accepted: true; readonly events: readonly NewEvent[] }
  | { readonly accepted: false; readonly code: OperatorRejection; readonly detail: string };

/**
 * Decides a person's command against the run as the log has it. Total: a refusal is a value. The events are meant to be
 * appended at the versions they carry; after a conflict fold the run again and decide again. `run` is used up.
 */
export const decideOperatorCommand = (run: RunState, command: OperatorCommand, context: { readonly now: number; readonly metadata: EventMetadata }): OperatorDecision => {
  const emission = new Emission(run, context.now, context.metadata, true);
  const refusal = decide(emission, command);
  return refusal === undefined ? { accepted: true, events: emission.events } : { accepted: false, ...refusal };
};

type Refusal = { readonly code: OperatorRejection; readonly detail: string };

const decide = (emission: Emission, command: OperatorCommand): Refusal | undefined => {
  switch (command.kind) {
    case 'retry':
      return retry(emission, command);
    case 'cancel':
      return cancel(emission, command);
    case 'pause':
      return pause(emission, command);
    case 'resume':
      return resume(emission, command);
    case 'resolve':
      return resolve(emission, command);
    default:
      return assertNever(command);
  }
};

const because = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

const retry = (emission: Emission, { resumeFromStep, reason }: Extract<OperatorCommand, { kind: 'retry' }>): Refusal | undefined => {
  const { run } = emission;
  if (run.status !== 'failed') return { code: 'retry_not_allowed', detail: `only a failed run can be retried; this one is ${run.status}` };
  if (run.cancel !== undefined) return { code: 'retry_not_allowed', detail: 'the run is being canceled' };
  if (resumeFromStep !== undefined && !run.rootTasks.includes(resumeFromStep)) {
    return { code: 'invalid_resume_step', detail: `the plan has no step ${resumeFromStep}; it has ${run.rootTasks.join(', ')}` };
  }
  if (resumeFromStep !== undefined && run.failedTask !== undefined && resumeFromStep !== run.failedTask) {
    return { code: 'invalid_resume_step', detail: `completed steps are never run again: the run goes on at ${run.failedTask}` };
  }
  if (!canBeRetried(run)) return { code: 'retry_not_allowed', detail: 'parts of it were undone; start a new run instead' };
  return void renewRun(emission, { automatic: false, ...because(reason) });
};

const cancel = (emission: Emission, { reason }: Extract<OperatorCommand, { kind: 'cancel' }>): Refusal | undefined => {
  const { run, now } = emission;
  const waitsForRetry = run.status === 'failed' && run.retryAt !== undefined;
  if ((!isOpenRun(run) && !waitsForRetry) || run.cancel !== undefined || run.status === 'rolling_back') {
    return { code: 'cancel_not_allowed', detail: `a run that is ${run.cancel === undefined ? run.status : 'being canceled'} cannot be canceled` };
  }
  return void emission.emitRun({ type: 'RunCancelRequested', data: { ...because(reason), at: now } });
};

const pause = (emission: Emission, { reason }: Extract<OperatorCommand, { kind: 'pause' }>): Refusal | undefined => {
  const { run, now } = emission;
  if (!isOpenRun(run) || run.paused) return { code: 'pause_not_allowed', detail: `a run that is ${run.paused ? 'paused' : run.status} cannot be paused` };
  return void emission.emitRun({ type: 'RunPaused', data: { ...because(reason), at: now } });
};

const resume = (emission: Emission, { reason }: Extract<OperatorCommand, { kind: 'resume' }>): Refusal | undefined => {
  const { run, now } = emission;
  if (!run.paused) return { code: 'resume_not_allowed', detail: 'the run is not paused' };
  return void emission.emitRun({ type: 'RunResumed', data: { ...because(reason), at: now } });
};

const resolve = (emission: Emission, command: Extract<OperatorCommand, { kind: 'resolve' }>): Refusal | undefined => {
  const { run } = emission;
  const task = run.tasks.get(command.task);
  if (task === undefined) return { code: 'task_not_found', detail: `the run has no task ${command.task}` };
  if (task.status !== 'escalated') return { code: 'task_not_escalated', detail: `${command.task} is ${task.status}; only an escalated task can be resolved` };
  if (task.undo === 'started') return { code: 'task_not_escalated', detail: `${command.task} is being undone` }; // its end must find the version that it began at
  const failed = { to: 'failed' as const, error: { code: 'RESOLVED_AS_FAILED', message: command.reason } };
  emission.transition(command.task, 'resolve', command.as === 'completed' ? { output: command.output ?? null } : failed);
  // one that ended well, was canceled or undone stays so
  if ((run.status === 'escalated' || run.status === 'failed') && run.rollback === undefined) renewAround(emission, command.task, command.reason);
  return undefined;
};
