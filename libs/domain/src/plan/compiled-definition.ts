import type { DefinitionHash, Json, JsonObject, TaskPath } from '@foldwork/events/contracts';
import type { Definition, TaskDefinition } from '../definition';
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
  /** Whether any expression looks at `tasks.<id>.children`. */
  readonly mentionsChildren: boolean;
}

/** Tasks that come one after another. */
export interface CompiledList {
  readonly tasks: readonly CompiledTask[];
  readonly indexById: ReadonlyMap<string, number>;
}

export interface Transition {
  /** A sibling's id, or `end`. */
  readonly next: string;
  readonly with?: Template;
}

export interface CompiledTask<S extends TaskDefinition = TaskDefinition> {
  readonly id: string;
  readonly type: S['type'];
  readonly path: string;
  readonly spec: S;
  readonly env: JsonObject;
  /** What the expressions that an executor evaluates refer to: `with`, `key`, `outputs`, `verify`, `undo`. */
  readonly references: References;
  readonly when?: Expression;
  readonly with?: Template;
  readonly outputs?: Template;
  readonly outputSchema?: Json;
  readonly retry: RetryPolicy;
  /** Of one attempt, or of a container as a whole. */
  readonly timeoutMs?: number;
  readonly scheduleTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly sleepMs: number;
  readonly final: boolean;
  readonly onSuccess?: Transition;
  readonly onError?: Transition;
  readonly maxVisits?: number;
  /** Parallel: the branches; composite: the list. */
  readonly list?: CompiledList;
  /** Collection: what each item gets; several tasks form a composite. */
  readonly each?: CompiledTask;
  /** Router: siblings that its routes lead to. */
  readonly routeTargets: readonly string[];
  readonly itemVar: string;
  readonly indexVar: string;
  readonly rollback: boolean;
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
