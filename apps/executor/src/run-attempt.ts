import { setTimeout as sleep } from 'node:timers/promises';
import { formatRunId, isStorable, parseJson, stringifyJson, type FailureDetail, type Json, type JsonObject } from '@foldwork/events';
import { attemptScope, evaluateBoolean, settleOutput, type BasicTask, type Scope } from '@foldwork/domain';
import { ActionError, type Action, type ActionContext, type ActionRegistry, type Verification } from '@foldwork/actions';
import type { Logger } from '@foldwork/platform';
import { actionInput } from './action-input';
import type { AttemptRecorder, AttemptResult, PreparedAttempt } from './attempt';
import { AttemptContext } from './attempt-context';
import { failureOf } from './attempt-failure';
import { Redaction } from './secrets/redaction';
import type { SecretSource } from './secrets/secret-folder';
import { withLimits } from './time-limits';

export interface AttemptSurroundings {
  readonly recorder: AttemptRecorder;
  readonly scope: Scope;
  readonly actions: ActionRegistry;
  readonly logger: Logger;
  readonly secrets: SecretSource;
  /** Aborted when the attempt is taken away. */
  readonly signal: AbortSignal;
}

const ATTEMPT_LIMIT_MS = 5 * 60_000;
/** A question that fails may be asked again before a person is bothered. */
const VERIFY_DELAYS_MS = [0, 200, 1_000];

/** What one attempt works with; `redaction` grows with the secrets that it is given. */
export interface Working extends AttemptSurroundings {
  readonly redaction: Redaction;
}

/** Runs one claimed attempt to its result: asks `verify` first where the effect may have taken place already. Never throws. */
export const runAttempt = async (attempt: PreparedAttempt, surroundings: AttemptSurroundings): Promise<AttemptResult> => {
  const redaction = new Redaction();
  const result = await run(attempt, { ...surroundings, redaction });
  return result.status === 'completed' ? { status: 'completed', output: redaction.json(result.output) } : { ...result, error: redaction.failure(result.error) };
};

const run = async (attempt: PreparedAttempt, around: Working): Promise<AttemptResult> => {
  try {
    const verified = attempt.task.verify === undefined ? undefined : await verifyFirst(attempt, around);
    if (verified !== undefined) return verified;
    const raw = await callAction(attempt, around, attempt.action, await ownInput(attempt, around), attempt.spec.heartbeatMs);
    const settled = settleOutput(attempt.spec, toJson(raw), attemptScope(around.scope, attempt.task, attempt.spec));
    return 'error' in settled ? failed(attempt, settled.error) : { status: 'completed', output: settled.output };
  } catch (error) {
    return failed(attempt, failureOf(error));
  }
};

const failed = ({ spec, task }: PreparedAttempt, error: FailureDetail): AttemptResult => {
  const { escalate } = spec.spec as BasicTask; // planners send basic tasks only
  const escalates = escalate === 'exhausted' ? task.last === true : (escalate ?? []).includes(error.code);
  return { status: escalates ? 'escalated' : 'failed', error };
};

/** The input of the attempt's own action. */
export const ownInput = async ({ parsed, action, input, spec }: PreparedAttempt, around: Working): Promise<never> =>
  parsed === undefined ? actionInput(action, input ?? {}, (spec.spec as BasicTask).with, around) : parsed.value; // planners send basic tasks only

/** `heartbeatMs` is for the task's own action: what asks or undoes knows nothing of that limit. */
export const callAction = (attempt: PreparedAttempt, around: Working, action: Action<never>, input: never, heartbeatMs?: number): Promise<unknown> => {
  const limits = { timeoutMs: attempt.spec.timeoutMs ?? ATTEMPT_LIMIT_MS, heartbeatMs, signal: around.signal };
  return withLimits(limits, async (signal, heartbeat) => action.run(input, contextOf(attempt, around, signal, heartbeat)));
};

const contextOf = (attempt: PreparedAttempt, { recorder, logger, redaction }: Working, signal: AbortSignal, heartbeat: () => void): ActionContext =>
  new AttemptContext(attempt, {
    recorder, redaction, signal, heartbeat,
    log: (message, fields = {}) => {
      const line = { event: 'action_log', runId: formatRunId(attempt.command.runId), task: attempt.task.path, message: redaction.text(String(message)) };
      try {
        logger.info({ ...redaction.object(fields), ...line });
      } catch (error) {
        logger.info({ ...line, unreadable: failureOf(error).message }); // a line is no reason to fail what was done
      }
    },
  });

/** `undefined`: the effect did not take place, so the action runs. Anything else ends the attempt. */
const verifyFirst = async (attempt: PreparedAttempt, around: Working): Promise<AttemptResult | undefined> => {
  const answer = await askPatiently(attempt, around);
  const word = answer.applied === 'unknown' ? 'unknown' : answer.applied ? 'applied' : 'not_applied';
  const known: JsonObject = { ...around.recorder.sideEffects };
  await around.recorder.recordVerification(word, around.redaction.json(answer.output));
  if (word === 'applied') return { status: 'completed', output: [verifiedOutput(known, answer.output), known].find(isKept) ?? null };
  if (word === 'unknown') return { status: 'escalated', error: { code: 'EFFECT_UNKNOWN', message: `nobody can say whether the effect of ${attempt.task.path} took place${answer.reason ?? ''}` } };
  if (attempt.task.verify === 'only') return failed(attempt, attempt.task.error ?? { code: 'ATTEMPTS_EXHAUSTED', message: `${attempt.task.path} did not take effect and has no attempt left` });
  return undefined;
};

/** What the handler would have answered, as far as it is known: recorded side effects, completed by what verify saw. */
export const verifiedOutput = (sideEffects: JsonObject, output: Json): Json =>
  isObject(output) || output === null ? { ...sideEffects, ...(isObject(output) ? output : {}) } : output;

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Answer {
  readonly applied: Verification['applied'];
  readonly output: Json;
  readonly reason?: string;
}

/** Asks whether the effect took place, again where the question itself fails. */
export const askPatiently = async (attempt: PreparedAttempt, around: Working): Promise<Answer> => {
  let reason = '';
  for (const delayMs of VERIFY_DELAYS_MS) {
    try {
      if (delayMs > 0) await sleep(delayMs, undefined, { signal: around.signal });
      return await ask(attempt, around);
    } catch (error) {
      around.signal.throwIfAborted();
      reason = `: ${failureOf(error).message}`;
    }
  }
  return unknown(reason);
};

const unknown = (reason: string): Answer => ({ applied: 'unknown', output: null, reason });

/** The definition's `verify` wins over the action's own. */
const ask = async (attempt: PreparedAttempt, around: Working): Promise<Answer> => {
  const { verify } = attempt.spec;
  if (verify !== undefined) return askDefinition(attempt, around, verify);
  const { verify: own } = attempt.action;
  if (own === undefined) return unknown(': the action has no verify');
  const limits = { timeoutMs: VERIFY_LIMIT_MS, heartbeatMs: undefined, signal: around.signal };
  const input = await ownInput(attempt, around);
  const answer: unknown = await withLimits(limits, async (signal, heartbeat) => own.call(attempt.action, input, contextOf(attempt, around, signal, heartbeat)));
  return isVerification(answer) ? { applied: answer.applied, output: kept(answer, attempt, around) } : unknown(': verify gave no answer {applied: true, false or "unknown"}');
};

/** Users write `verify`; an answer that is none must not count as one. */
const isVerification = (answer: unknown): answer is Verification =>
  typeof answer === 'object' && answer !== null && 'applied' in answer && (typeof answer.applied === 'boolean' || answer.applied === 'unknown');

const VERIFY_LIMIT_MS = 30_000;

const askDefinition = async (attempt: PreparedAttempt, around: Working, verify: NonNullable<PreparedAttempt['spec']['verify']>): Promise<Answer> => {
  const action = around.actions.get(verify.action);
  if (action === undefined) return unknown(`: no executor here has the action ${verify.action}`);
  const scope = attemptScope(around.scope, attempt.task, attempt.spec);
  const written = (attempt.spec.spec as BasicTask).verify?.with; // planners send basic tasks only
  const input = await actionInput(action, verify.with?.evaluate(scope) ?? {}, written, around);
  const result = toJson(await callAction(attempt, around, action, input));
  return { applied: evaluateBoolean(verify.found, { ...scope, result }), output: kept({ output: result }, attempt, around) };
};

/** The answer counts, also where the log cannot hold the output that came with it: failing for that would repeat, or leave, an effect that took place. */
const kept = (answer: Pick<Verification, 'output'>, { command, task }: PreparedAttempt, { logger }: Working): Json => {
  let reason = 'it is too large, too deep or no Unicode';
  try {
    const output = toJson(answer.output);
    if (isKept(output)) return output;
  } catch (error) {
    reason = failureOf(error).message;
  }
  logger.warn({ event: 'verified_output_dropped', runId: formatRunId(command.runId), task: task.path, reason });
  return null;
};

const isKept = (output: Json): boolean => isStorable(stringifyJson(output), KEPT_BYTES_MAX, 1);

/** What an event holds, less what stands around an output. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024 - 64 * 1024;

/** What an action returned, as the log can keep it. Functions, symbols and the like vanish as they do in JSON. Throws `ActionError` where it is none. */
const toJson = (value: unknown): Json => {
  if (value === undefined) return null;
  try {
    return parseJson(stringifyJson(value));
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n'); // a circle is drawn over several lines
    throw new ActionError('RESULT_REFUSED', `what the action returned is not JSON: ${reason}`);
  }
};
