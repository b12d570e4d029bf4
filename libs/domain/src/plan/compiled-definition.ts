import type { DefinitionHash, JsonObject, TaskPath } from '@foldwork/events/contracts';
import type { Definition, JsonSchema, TaskCommon } from '../definition';
import type { Expression, References, Template } from '../expressions';
import type { RetryPolicy } from '../policies/retry-policy';

/** A definition made ready for deciding: expressions compiled, policies merged, every task found by its path. */
export interface CompiledDefinition {
  readonly workflow: string;
  readonly hash: DefinitionHash;
  readonly definition: Definition;
  readonly root: CompiledList;
  /** By definition path: like a task path with `[]` for any item and without visits (`images[]/upload`). */
  readonly tasks: ReadonlyMap<string, CompiledTask>;
  readonly output?: Template;
  readonly laneKey?: Expression;
  readonly timeoutMs?: number;
  readonly rollback: boolean;
  /** Whether any task has a `scheduleTimeout`. */
  readonly limitsPickUp: boolean;
  /** Whether any expression looks at `tasks.<id>.children`. */
  readonly mentionsChildren: boolean;
}

/** The tasks inside a container, or the root's. */
export interface CompiledList {
  readonly tasks: readonly CompiledTask[];
  readonly indexById: ReadonlyMap<string, number>;
  /** One after another, along the transitions; otherwise branches that do not know each other. */
  readonly sequential: boolean;
}

/** An action and its input. */
export interface CompiledCall {
  readonly action: string;
  readonly with?: Template;
}

export interface CompiledTransition {
  /** A sibling's id, or `end`. */
  readonly next?: string;
  readonly with?: Template;
}

export interface CompiledTask<S extends TaskCommon = TaskCommon> {
  readonly id: string;
  readonly type: string;
  readonly path: string;
  readonly spec: S;
  /** Its attempts are run by executors, not by the engine. */
  readonly executed: boolean;
  /** Its result names what comes next. */
  readonly choosesNext: boolean;
  /** What finished inside it is undone when it fails. */
  readonly rollback: boolean;
  readonly env: JsonObject;
  /** What the expressions that an executor evaluates refer to: `with`, `key`, `outputs`, `verify`, `undo`. */
  readonly references: References;
  readonly when?: Expression;
  readonly with?: Template;
  readonly outputs?: Template;
  readonly key?: Expression;
  /** Asks whether an effect took place; `found` sees its answer as `result`. */
  readonly verify?: CompiledCall & { readonly found: Expression };
  readonly undo?: CompiledCall;
  readonly outputSchema?: JsonSchema;
  readonly retry: RetryPolicy;
  /** Of one attempt, or of a container as a whole. Absent where the type's rule looks after it. */
  readonly timeoutMs?: number;
  readonly scheduleTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly sleepMs: number;
  readonly final: boolean;
  readonly onSuccess?: CompiledTransition;
  readonly onError?: CompiledTransition;
  readonly maxVisits?: number;
  /** Tasks inside it that run once. */
  readonly list?: CompiledList;
  /** What runs once per item (collection) or per signal (wait); several tasks form a composite. */
  readonly each?: CompiledTask;
  /** Router: siblings that its routes lead to. */
  readonly routeTargets: readonly string[];
  /** Names of the item and of its index inside `each`; a wait's processor has a signal and no index. */
  readonly itemVar: string;
  readonly indexVar?: string;
}

const ITEM_OR_VISIT = /\[\d+\]|#\d+/g;

/** `images[3]/upload#2` → `images[]/upload`. */
export const definitionPath = (path: TaskPath): string =>
  path.replace(ITEM_OR_VISIT, (part) => (part.startsWith('[') ? '[]' : ''));

/** The compiled task behind a path of a run; the run pins the definition, so a missing one is a bug. */
export const taskAt = (definition: CompiledDefinition, path: TaskPath): CompiledTask => {
  const found = definition.tasks.get(path) ?? definition.tasks.get(definitionPath(path));
  if (found === undefined) throw new Error(`definition ${definition.hash} has no task ${path}`);
  return found;
};
