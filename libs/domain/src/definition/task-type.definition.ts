import type { z } from 'zod';
import type { Diagnostic } from './diagnostic';
import type { TaskCommon } from './task.definition';

export type Segment = string | number;

/** Tasks inside a task. */
export interface ChildList {
  /** Where the list (or the single inline task) stands in its task, e.g. `['tasks']`, `['routes', 'a']`. */
  readonly at: readonly Segment[];
  readonly tasks: readonly TaskCommon[];
  /** The value at `at` is the task itself, not a list. */
  readonly isInline?: boolean;
  /** `sequence`: each sees the ones before it; `branches`: none sees another. */
  readonly order: 'sequence' | 'branches';
  /** `items`: the list runs once per item, so nobody outside can name one of its tasks. */
  readonly visibility: 'children' | 'items';
  /** Variables that exist inside the list only, such as `item`. */
  readonly variables?: readonly string[];
}

/** A field that is compiled: CEL as it is, or data with `${ CEL }`. */
export interface ExpressionField {
  readonly at: readonly Segment[];
  readonly kind: 'expression' | 'template';
  /** Variables beyond the usual ones, e.g. `result` in `verify.found`. */
  readonly variables?: readonly string[];
  /** Evaluated when the task and its children have ended: it sees `tasks.<own id>` too. */
  readonly isDeferred?: boolean;
}

/** A field that names another task of the same list (or `end`). */
export interface TargetField {
  readonly at: readonly Segment[];
  readonly target: string;
}

export type Fault = Pick<Diagnostic, 'code' | 'message'> & Partial<Pick<Diagnostic, 'severity' | 'hint'>> & { readonly at: readonly Segment[] };

/** What schemas of task types are built from: tasks inside tasks, of whatever types are registered. */
export interface SchemaKit {
  readonly tasks: z.ZodType<TaskCommon[]>;
  /** One task whose id may be left out. */
  readonly inlineTask: (defaultId: string) => z.ZodType<TaskCommon>;
}

/**
 * What the definition language knows of a task type. A new type brings one of these; nothing else in the language names
 * types.
 */
export interface TaskTypeDefinition<T extends TaskCommon = TaskCommon> {
  readonly type: T['type'];
  /** One sentence for the reference and for editors. */
  readonly summary: string;
  /** A strict object with `type` as literal and the common fields that apply. */
  schema(kit: SchemaKit): z.ZodType<T>;
  childLists?(task: T): readonly ChildList[];
  expressions?(task: T): readonly ExpressionField[];
  /** Besides `onSuccess.next` and `onError.next`. */
  targets?(task: T): readonly TargetField[];
  /** The task never falls through to the next of the list: what follows is one of `targets` or an end. */
  readonly choosesNext?: boolean;
  /** Actions the task names besides `undo.action`. */
  actions?(task: T): readonly ActionUse[];
  /** What the schema cannot say. */
  check?(task: T): readonly Fault[];
}

export interface ActionUse {
  readonly at: readonly Segment[];
  readonly action: string;
}
