import { formatRunId, type FailureDetail, type Json, type SegmentTask, type StepCommand, type TaskUndoTransitioned } from '@foldwork/events';
import { ExpressionError, resolveInput, taskAt, type BasicTask, type CompiledDefinition, type CompiledTask } from '@foldwork/domain';
import type { ActionRegistry } from '@foldwork/actions';
import { actionInput } from './action-input';
import type { AttemptRecorder, PreparedAttempt } from './attempt';
import { failureOf } from './attempt-failure';
import { taskVariable } from './prepare-attempt';
import { askPatiently, callAction, type Working } from './run-attempt';
import { Redaction } from './secrets/redaction';
import type { ClaimOutcome, SegmentRunnerParts } from './segment-runner';

/**
 * Undoes one finished task: claims the undo in the log, asks first whether there is anything to undo where nobody knows,
 * runs the compensating action, records what came of it. The same fence as for attempts: the version of the stream.
 */
export class UndoRunner {
  constructor(private readonly parts: SegmentRunnerParts) {}

  async run(command: StepCommand, task: SegmentTask, definition: CompiledDefinition, onClaimed: (outcome: ClaimOutcome) => void): Promise<void> {
    const { actions, logger, recorder } = this.parts;
    const spec = taskAt(definition, task.path);
    const undo = prepareUndo(command, task, spec, actions);
    if (undo === undefined) {
      logger.warn({ event: 'action_missing', run: command.runId, task: task.path, action: spec.undo?.action });
      return onClaimed('no_action');
    }
    const { holder } = recorder;
    const entry = (step: number, facts: Pick<TaskUndoTransitioned, 'to' | 'error'>) => ({
      command, task: task.path, version: task.version + step, holder,
      event: { type: 'TaskUndoTransitioned' as const, data: { ...facts, attempt: task.attempt, executor: holder, at: recorder.at() } },
    });
    const isClaimed = await recorder.claim(entry(1, { to: 'started' }));
    onClaimed(isClaimed ? 'claimed' : 'settled');
    if (!isClaimed) return;
    const error = 'error' in undo ? undo.error : await this.attempt(undo, holder);
    await recorder.record({ ...entry(2, error === undefined ? { to: 'completed' } : { to: 'failed', error }), decide: true });
    logger.info({ event: error === undefined ? 'task_undone' : 'undo_failed', run: command.runId, task: task.path, step: spec.id, ...(error && { error }) });
  }

  private async attempt({ attempt, question, scope }: UndoAttempt, holder: string): Promise<FailureDetail | undefined> {
    const { actions, logger, running, secrets, recorder } = this.parts;
    const current = running.begin(attempt);
    const redaction = new Redaction();
    const around: Working = { recorder: silentRecorder(attempt), scope, actions, logger, secrets, redaction, signal: current.signal };
    if (!recorder.holds(holder)) current.abort('LEASE_LOST', 'the lease ended while the undo was being claimed');
    try {
      if (attempt.task.verify !== undefined && !(await isThere(question, around))) return undefined;
      const { undo } = attempt.spec.spec;
      const written = undo !== undefined && 'with' in undo ? undo.with : undefined;
      await callAction(attempt, around, attempt.action, await actionInput(attempt.action, attempt.input ?? {}, written, around));
      return undefined;
    } catch (error) {
      return redaction.failure(failureOf(error));
    } finally {
      current.end();
    }
  }
}

/** Throws when nobody can say: undoing blindly would be a guess. */
const isThere = async (question: PreparedAttempt, around: Working): Promise<boolean> => {
  const { applied } = await askPatiently(question, around);
  if (applied === 'unknown') throw new Error(`nobody can say whether the effect of ${question.task.path} took place`);
  return applied;
};

interface UndoAttempt {
  readonly attempt: PreparedAttempt;
  /** The task's own attempt, as far as `verify` is asked about it. */
  readonly question: PreparedAttempt;
  readonly scope: Working['scope'];
}

/** `undefined`: no executor here has the action. */
const prepareUndo = (command: StepCommand, task: SegmentTask, spec: CompiledTask, actions: ActionRegistry): UndoAttempt | { readonly error: FailureDetail } | undefined => {
  const { undo } = spec;
  const action = undo && actions.get(undo.action);
  if (undo === undefined || action === undefined) return undefined;
  const scope = { ...command.scope, ...task.locals, output: task.output ?? null, task: taskVariable(task, spec.id) };
  try {
    const input: Json = undo.with?.evaluate(scope) ?? {};
    const effectKey = `${formatRunId(command.runId)}/${task.path}/undo`;
    const attempt: PreparedAttempt = { command, task, spec, action, input, parsed: undefined, effectKey, effect: undefined };
    const own = actions.get((spec.spec as BasicTask).action) ?? action; // planners send basic tasks only
    const question = task.verify === undefined ? attempt : { ...attempt, action: own, input: resolveInput(spec, task, scope) };
    return { attempt, question, scope };
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
