import { ExactNumber, type FailureDetail, type Json, type JsonObject } from '@foldwork/events/contracts';
import type { Scope } from '../expressions';
import { schemaFaults } from '../definition';
import type { CompiledTask } from '../plan/compiled-definition';

/**
 * What a task's raw output becomes: an answer that says itself that it failed is a failure; `outputs` replaces the
 * result by exactly the mapped keys; `output` is the schema the result must satisfy. Used by the engine and executors.
 */
export const settleOutput = (spec: CompiledTask, raw: Json, scope: Scope): { output: Json } | { error: FailureDetail } => {
  const reported = reportedFailure(raw);
  if (reported !== undefined) return { error: reported };
  const output = spec.outputs === undefined ? raw : spec.outputs.evaluate({ ...scope, output: raw });
  const faults = spec.outputSchema === undefined ? [] : schemaFaults(spec.outputSchema, output);
  if (faults.length === 0) return { output };
  return { error: { code: 'OUTPUT_INVALID', message: `the result does not satisfy the task's output schema: ${faults.join('; ')}` } };
};

/** `{error: …}` that is not empty, or `{success: false}`: the action answered, and its answer is no. */
export const reportedFailure = (raw: Json): FailureDetail | undefined => {
  if (!isObject(raw)) return undefined;
  const { error, success } = raw;
  if (error !== undefined && error !== null && error !== '' && error !== false) return { code: 'ACTION_FAILED', message: describe(error), details: raw };
  if (success === false || success === 'false') return { code: 'ACTION_FAILED', message: 'the action reported success: false', details: raw };
  return undefined;
};

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

const describe = (error: Json): string => {
  if (typeof error === 'string') return error;
  if (isObject(error) && typeof error['message'] === 'string') return error['message'];
  return JSON.stringify(error);
};
