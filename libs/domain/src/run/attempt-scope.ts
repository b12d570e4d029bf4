import type { Json, SegmentTask } from '@foldwork/events/contracts';
import type { Scope } from '../expressions';
import type { CompiledDefinition, CompiledTask } from '../plan/compiled-definition';

/** What the expressions of one attempt see: what its command has for all of its tasks, and what is the task's own. */
export const attemptScope = (shared: Scope, { locals, attempt, error }: SegmentTask, { id, env }: CompiledTask): Scope => ({
  ...shared, ...locals, env, task: { id, attempt, error: error === undefined ? null : { ...error } },
});

/** The output of a run whose last task an executor has ended; `shared` has that task's output. Throws `ExpressionError`. */
export const runOutput = ({ definition, output }: CompiledDefinition, shared: Scope): Json => output?.evaluate({ ...shared, env: { ...definition.env } }) ?? null;

/** Items of a collection follow each other without seeing each other; what `previous` and `tasks` show is the list's. */
export const isSeenByNext = ({ path }: SegmentTask): boolean => !path.endsWith(']');
