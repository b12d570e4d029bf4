import { ExactNumber, stringifyJson, type FailureDetail, type Json, type SegmentTask, type StepCommand } from '@foldwork/events';
import { attemptScope, ExpressionError, resolveInput, taskAt, type BasicTask, type CompiledDefinition, type CompiledTask, type EffectClass, type Scope } from '@foldwork/domain';
import { ActionError, parseInput, type ActionRegistry } from '@foldwork/actions';
import { defaultEffectKey, type PreparedAttempt } from './attempt';
import { failureOf } from './attempt-failure';
import { secretReferences } from './secrets/secret-references';

const INPUT_BYTES_MAX = 1024 * 1024;
const KEY_LENGTH_MAX = 1_024;

export type Preparation =
  | { readonly status: 'ready'; readonly attempt: PreparedAttempt }
  /** The task can never run like this: recorded as failed. */
  | { readonly status: 'faulty'; readonly error: FailureDetail }
  /** Another executor may have the action: the task stays pending. */
  | { readonly status: 'no_action'; readonly action: string };

/** Works out what a task's attempt needs. Pure but for the registry. */
export const prepareAttempt = (command: StepCommand, task: SegmentTask, definition: CompiledDefinition, actions: ActionRegistry, scope: Scope): Preparation => {
  const spec = taskAt(definition, task.path);
  const { action: name, effect } = spec.spec as BasicTask; // planners send basic tasks only
  const action = actions.get(name);
  if (action === undefined) return { status: 'no_action', action: name };
  if (task.verify !== undefined && actions.get(verifierOf(spec)) === undefined) return { status: 'no_action', action: verifierOf(spec) };
  try {
    const own = attemptScope(scope, task, spec);
    const input = resolveInput(spec, task, own);
    if (input !== undefined && Buffer.byteLength(stringifyJson(input)) > INPUT_BYTES_MAX) return faulty('INPUT_TOO_LARGE', `the input of ${task.path} has more than ${INPUT_BYTES_MAX} bytes`);
    const parsed = hasSecrets(spec) ? undefined : parseInput(action, input ?? {});
    if (parsed !== undefined && 'faults' in parsed) return faulty('INPUT_INVALID', `${name} refuses the input of ${task.path}: ${parsed.faults.join('; ')}`);
    const effectKey = spec.key === undefined ? defaultEffectKey(command, task) : keyText(spec.key.evaluate(own));
    if (effectKey === undefined) return faulty('KEY_INVALID', `the key of ${task.path} must be a number or a text of 1 to ${KEY_LENGTH_MAX} characters`);
    return { status: 'ready', attempt: { command, task, spec, action, input, parsed, effectKey, effect: recorded(effect ?? action.effect, effectKey) } };
  } catch (error) {
    if (error instanceof ExpressionError) return faulty('EXPRESSION_ERROR', error.message);
    throw error;
  }
};

/** The action that knows whether the effect took place: the one that the definition names, or the task's own. */
export const verifierOf = ({ spec, verify }: CompiledTask): string => verify?.action ?? (spec as BasicTask).action; // planners send basic tasks only

const hasSecrets = ({ spec }: CompiledTask): boolean => secretReferences((spec as BasicTask).with).length > 0; // planners send basic tasks only

/** A key that says nothing (null, an object's name) would make different effects look like one. */
const keyText = (key: Json): string | undefined => {
  if (typeof key === 'number' || key instanceof ExactNumber) return String(key);
  return typeof key === 'string' && key.length > 0 && key.length <= KEY_LENGTH_MAX ? key : undefined;
};

/** The message may quote the input: what the log cannot hold of it would leave the task pending for ever. */
const faulty = (code: string, message: string): Preparation => ({ status: 'faulty', error: failureOf(new ActionError(code, message)) });

const recorded = (effect: EffectClass, key: string): PreparedAttempt['effect'] => (effect === 'keyed' || effect === 'once' ? { class: effect, key } : undefined);
