import { formatRunId, type FailureDetail, type Json, type SegmentTask, type StepCommand, type TaskUndoTransitioned } from '@foldwork/events';
import { attemptScope, ExpressionError, resolveInput, taskAt, type BasicTask, type CompiledDefinition, type CompiledTask } from '@foldwork/domain';
import type { ActionRegistry } from '@foldwork/actions';
import { actionInput } from './action-input';
import type { AttemptRecorder, PreparedAttempt } from './attempt';
import { failureOf } from './attempt-failure';
import { askPatiently, callAction, verifiedOutput, type Answer, type Working } from './run-attempt';
import { verifierOf } from './prepare-attempt';
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
    if (typeof undo === 'string') {
      logger.warn({ event: 'action_missing', runId: formatRunId(command.runId), task: task.path, action: undo });
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
    const error = await this.attempt(undo, holder).catch((fault: unknown) => this.broken(command, fault));
    await recorder.record({ ...entry(2, error === undefined ? { to: 'completed' } : { to: 'failed', error }), decide: true });
    logger.info({ event: error === undefined ? 'task_undone' : 'undo_failed', runId: formatRunId(command.runId), task: task.path, step: spec.id, ...(error && { error }) });
  }

  /** A bug of ours must not leave the undo under way for ever. */
  private broken({ runId }: StepCommand, err: unknown): FailureDetail {
    this.parts.logger.error({ event: 'executor_trouble', runId: formatRunId(runId), err });
    return { code: 'EXECUTOR_FAULT', message: 'the executor failed while undoing this task; its log says why' };
  }

  private async attempt({ attempt, question, scope }: UndoAttempt, holder: string): Promise<FailureDetail | undefined> {
    const { actions, logger, running, secrets, recorder } = this.parts;
    const current = running.begin(attempt);
    const redaction = new Redaction();
    const around: Working = { recorder: silentRecorder(attempt), scope, actions, logger, secrets, redaction, signal: current.signal };
    if (!recorder.holds(holder)) current.abort('LEASE_LOST', 'the lease ended while the undo was being claimed');
    try {
      const found = question === undefined ? undefined : await ask(question, around);
      if (found?.applied === false) return undefined;
      // Of a task that never said what came of it, its side effects and `verify` know the output.
      const output = found === undefined ? (scope['output'] ?? null) : verifiedOutput(around.recorder.sideEffects, found.output);
      const input = attempt.spec.undo?.with?.evaluate({ ...scope, output }) ?? {};
      const { undo } = attempt.spec.spec;
      const written = undo !== undefined && 'with' in undo ? undo.with : undefined;
      await callAction(attempt, around, attempt.action, await actionInput(attempt.action, input, written, around));
      return undefined;
    } catch (error) {
      return redaction.failure(failureOf(error));
    } finally {
      current.end();
    }
  }
}

/** Throws when nobody can say: undoing blindly would be a guess. */
const ask = async (question: PreparedAttempt, around: Working): Promise<Answer> => {
  const answer = await askPatiently(question, around);
  if (answer.applied === 'unknown') throw new Error(`nobody can say whether the effect of ${question.task.path} took place`);
  return answer;
};

interface UndoAttempt {
  readonly attempt: PreparedAttempt;
  /** The task's own attempt, to be asked about first; absent: it is known that there is something to undo. */
  readonly question: PreparedAttempt | undefined;
  readonly scope: Working['scope'];
}

/** A text: the name of the action that nobody here has. */
const prepareUndo = (command: StepCommand, task: SegmentTask, spec: CompiledTask, actions: ActionRegistry): UndoAttempt | string => {
  const name = spec.undo?.action ?? '';
  const action = actions.get(name);
  if (action === undefined) return name;
  if (task.verify !== undefined && actions.get(verifierOf(spec)) === undefined) return verifierOf(spec);
  const scope = { ...attemptScope(command.scope, task, spec), output: task.output ?? null };
  const effectKey = `${formatRunId(command.runId)}/${task.path}/undo`;
  const attempt: PreparedAttempt = { command, task, spec, action, input: undefined, parsed: undefined, effectKey, effect: undefined };
  return { attempt, scope, question: task.verify === undefined ? undefined : questionOf(attempt, actions, scope) };
};

/** The input that the task ran with; one that cannot be made any more leaves the question without it. */
const questionOf = (attempt: PreparedAttempt, actions: ActionRegistry, scope: Working['scope']): PreparedAttempt => {
  const { spec, task } = attempt;
  const action = actions.get((spec.spec as BasicTask).action) ?? attempt.action; // planners send basic tasks only
  return { ...attempt, action, input: inputOf(spec, task, scope) };
};

const inputOf = (spec: CompiledTask, task: SegmentTask, scope: Working['scope']): Json | undefined => {
  try {
    return resolveInput(spec, task, scope);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
};

/** An undo records its end only; what it did is the end of the effect that the task recorded. */
const silentRecorder = ({ task }: PreparedAttempt): AttemptRecorder => ({
  sideEffects: { ...task.sideEffects },
  recordSideEffect: () => Promise.resolve(),
  recordVerification: () => Promise.resolve(),
});
