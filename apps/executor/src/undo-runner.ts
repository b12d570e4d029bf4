import { formatRunId, type FailureDetail, type Json, type SegmentTask, type StepCommand, type TaskUndoTransitioned } from '@foldwork/events';
import { ExpressionError, taskAt, type CompiledDefinition, type CompiledTask } from '@foldwork/domain';
import { parseInput, type ActionRegistry } from '@foldwork/actions';
import type { AttemptRecorder, PreparedAttempt } from './attempt';
import { failureOf } from './attempt-failure';
import type { Recorder } from './claimed-task';
import { askPatiently, callAction, type AttemptSurroundings } from './run-attempt';
import type { ClaimOutcome, SegmentRunnerParts } from './segment-runner';
import { taskVariable } from './prepare-attempt';

/**
 * Undoes one finished task: claims the undo in the log, asks first whether there is anything to undo where nobody knows,
 * runs the compensating action, records what came of it. The same fence as for attempts: the version of the stream.
 */
export class UndoRunner {
  constructor(private readonly parts: SegmentRunnerParts) {}

  async run(command: StepCommand, task: SegmentTask, definition: CompiledDefinition, onClaimed: (outcome: ClaimOutcome) => void): Promise<void> {
    const { actions, logger } = this.parts;
    const spec = taskAt(definition, task.path);
    const undo = prepareUndo(command, task, spec, actions);
    if (undo === undefined) {
      logger.warn({ event: 'action_missing', run: command.runId, task: task.path, action: spec.undo?.action });
      return onClaimed('no_action');
    }
    const isClaimed = await this.record(command, task, 1, { to: 'started' });
    onClaimed(isClaimed ? 'claimed' : 'settled');
    if (!isClaimed) return;
    const error = 'error' in undo ? undo.error : await this.attempt(undo.attempt, undo.scope);
    await this.record(command, task, 2, error === undefined ? { to: 'completed' } : { to: 'failed', error });
    logger.info({ event: error === undefined ? 'task_undone' : 'undo_failed', run: command.runId, task: task.path, step: spec.id, ...(error && { error }) });
  }

  private async attempt(attempt: PreparedAttempt, scope: AttemptSurroundings['scope']): Promise<FailureDetail | undefined> {
    const { actions, logger, running } = this.parts;
    const around: AttemptSurroundings = { recorder: silentRecorder(attempt), scope, actions, logger, signal: running.begin(attempt) };
    try {
      if (attempt.task.verify !== undefined && !(await this.isThere(attempt, around))) return undefined;
      await callAction(attempt, around, attempt.action, attempt.parsedInput);
      return undefined;
    } catch (error) {
      return failureOf(error);
    } finally {
      running.end(attempt);
    }
  }

  /** Throws when nobody can say: undoing blindly would be a guess. */
  private async isThere(attempt: PreparedAttempt, around: AttemptSurroundings): Promise<boolean> {
    const { applied } = await askPatiently(attempt, around);
    if (applied === 'unknown') throw new Error(`nobody can say whether the effect of ${attempt.task.path} took place`);
    return applied;
  }

  private async record(command: StepCommand, task: SegmentTask, step: number, facts: Pick<TaskUndoTransitioned, 'to' | 'error'>): Promise<boolean> {
    const { recorder } = this.parts;
    const data: TaskUndoTransitioned = { ...facts, attempt: task.attempt, executor: recorder.holder(), at: recorder.at() };
    const event = recorder.event(command, task.path, task.version + step, { type: 'TaskUndoTransitioned', data }, facts.to !== 'started');
    return (await recorder.append([event])).status !== 'conflict';
  }
}

type PreparedUndo = { readonly attempt: PreparedAttempt; readonly scope: AttemptSurroundings['scope'] } | { readonly error: FailureDetail };

/** `undefined`: no executor here has the action. */
const prepareUndo = (command: StepCommand, task: SegmentTask, spec: CompiledTask, actions: ActionRegistry): PreparedUndo | undefined => {
  const { undo } = spec;
  const action = undo && actions.get(undo.action);
  if (undo === undefined || action === undefined) return undefined;
  const scope = { ...command.scope, ...task.locals, output: task.output ?? null, task: taskVariable(task, spec.id) };
  try {
    const input: Json = undo.with?.evaluate(scope) ?? {};
    const parsed = parseInput(action, input);
    if ('faults' in parsed) return { error: { code: 'INPUT_INVALID', message: `${undo.action} refuses its input: ${parsed.faults.join('; ')}` } };
    const effectKey = `${formatRunId(command.runId)}/${task.path}/undo`;
    return { scope, attempt: { command, task, spec, action, input, parsedInput: parsed.value, effectKey, effect: undefined } };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: { code: 'EXPRESSION_ERROR', message: error.message } };
  }
};

/** An undo records its end only; what it did is the end of the effect that the task recorded. */
const silentRecorder = ({ task }: PreparedAttempt): AttemptRecorder => ({
  sideEffects: { ...task.sideEffects },
  recordSideEffect: () => Promise.resolve(),
  recordVerification: () => Promise.resolve(),
});
