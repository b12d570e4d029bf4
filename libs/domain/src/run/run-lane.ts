import { formatRunId, stringifyJson, type Json, type RunId, type RunRequested } from '@foldwork/events/contracts';
import type { CompiledDefinition } from '../plan/compiled-definition';

/** The lane that a run of this definition joins, worked out when it is requested. Throws `ExpressionError`. */
export const runLane = ({ definition, laneKey, workflow }: CompiledDefinition, input: Json, runId: RunId, at: number): RunRequested['lane'] => {
  if (laneKey === undefined || definition.lane === undefined) return undefined;
  const run = { id: formatRunId(runId), workflow, requestedAt: new Date(at).toISOString() };
  const key = laneKey.evaluate({ input, env: { ...definition.env }, run });
  return { key: typeof key === 'string' ? key : stringifyJson(key), limit: definition.lane.limit };
};
