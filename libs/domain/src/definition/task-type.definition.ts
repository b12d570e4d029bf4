import type { z } from 'zod';
import type { Diagnostic } from './diagnostic';
import type { EffectClass, JsonSchema, TaskCommon } from './task.definition';

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

/** A field that is compiled: CEL as it is, CEL that must give true or false, or data with `${ CEL }`. */
export interface ExpressionField {
  readonly at: readonly Segment[];
  readonly kind: 'expression' | 'condition' | 'template';
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
  /** A list, or a single task in place of a list of one. */
  readonly oneOrMore: z.ZodType<TaskCommon[]>;
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
  /** Whether the next task of the list may follow by list order; absent: it does. */
  fallsThrough?(task: T): boolean;
  /** Nothing is known about where it leads: a stand-in for a task that could not be read. */
  readonly leadsAnywhere?: boolean;
  /** Actions the task names besides `undo.action`. */
  actions?(task: T): readonly ActionUse[];
  /** What the schema cannot say. */
  check?(task: T, context: CheckContext): readonly Fault[];
  /** The class of what it does to the world, as far as it is known; for the rule that a rollback scope needs `undo`. */
  effectOf?(task: T, context: CheckContext): EffectClass | undefined;
}

/** What is known of an action when a definition is checked. */
export interface ActionFacts {
  readonly effect: EffectClass;
  readonly inputSchema?: JsonSchema;
  /** The action answers itself whether its effect was applied. */
  readonly verify?: boolean;
}
export type ActionCatalog = ReadonlyMap<string, ActionFacts>;

export interface CheckContext {
  /** Absent: actions are not known here and not checked. */
  readonly actions: ActionCatalog | undefined;
  readonly breakers: ReadonlySet<string>;
}

export interface ActionUse {
  readonly at: readonly Segment[];
  readonly action: string;
}
