import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import type { TaskDefinition } from '../../definition/definition';
import { commonFields, count, data, expression, json, strict } from '../../definition/schema-fields';
import type { Fault, TaskTypeDefinition } from '../../definition/task-type.definition';
import { STRATEGIES, type Strategy, type TimedTask } from '../../definition/task.definition';
import { compileExpression, type Expression } from '../../expressions/expression';
import { compileTemplate, type Template } from '../../expressions/template';

/** Runs `each` once per item. */
export interface CollectionTask extends TimedTask {
  readonly type: 'collection';
  /** CEL, a range such as `1..10`, a string with `${ CEL }`, or a literal list or map (data). See `itemsTemplate`. */
  readonly items: Json;
  /** CEL over `item` and `index` of the unfiltered list. */
  readonly filter?: string;
  readonly each: readonly TaskDefinition[];
  readonly with?: Json;
  readonly mode?: 'parallel' | 'sequential';
  /** Size of the groups that run one after another. */
  readonly batch?: number;
  readonly strategy?: Strategy;
  readonly maxWorkers?: number;
  readonly itemVar?: string;
  readonly indexVar?: string;
}

const RANGE = /^\s*(-?\d+|[A-Za-z])\s*\.\.\s*(-?\d+|[A-Za-z])\s*$/;

/** How `items` is written: CEL as it is, or data (a literal, a range, a string with `${ CEL }`). */
export const itemsKind = (items: Json): 'expression' | 'template' =>
  typeof items === 'string' && !items.includes('${') && !RANGE.test(items) ? 'expression' : 'template';

/** `items` made ready: gives the list, map, range text or scalar that the collection then expands. Throws `ExpressionError`. */
export const itemsTemplate = (items: Json): Expression | Template =>
  typeof items === 'string' && itemsKind(items) === 'expression' ? compileExpression(items) : compileTemplate(items);

const variable = (description: string): z.ZodString =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, { error: 'A variable has letters, digits and "_"' }).describe(description);

const itemVariables = ({ itemVar = 'item', indexVar = 'index' }: CollectionTask): string[] => [itemVar, indexVar];

const TAKEN: ReadonlySet<string> = new Set(['input', 'env', 'run', 'task', 'tasks', 'previous', 'parent', 'signal', 'processor', 'result', 'output']);
const checkVariables = (task: CollectionTask): Fault[] => {
  const taken = (['itemVar', 'indexVar'] as const).filter((field) => TAKEN.has(task[field] ?? ''));
  const faults = taken.map((field): Fault => ({ at: [field], code: 'invalid_value', message: `"${task[field]}" is a variable of the language` }));
  const [item, index] = itemVariables(task);
  return item === index ? [...faults, { at: ['indexVar'], code: 'invalid_value', message: '`itemVar` and `indexVar` have the same name' }] : faults;
};

export const collectionTaskType: TaskTypeDefinition<CollectionTask> = {
  type: 'collection',
  summary: 'Runs its tasks once per item of a list.',
  schema: (kit) =>
    strict({
      ...commonFields(),
      type: z.literal('collection'),
      items: json()
        .refine((items) => (typeof items === 'string' ? /\S/.test(items) : typeof items === 'object' && items !== null), { error: 'Expected CEL, a range such as 1..10, or a list' })
        .describe('CEL that gives a list or map; or a range such as 1..10 or a..c; or a literal list.'),
      filter: expression('Over `item` and `index`; false: the item is left out.').exactOptional(),
      each: kit.oneOrMore.describe('What runs for each item.'),
      with: data('Beneath the `with` of the tasks.').exactOptional(),
      mode: z.enum(['parallel', 'sequential']).describe('Default parallel.').exactOptional(),
      batch: count('Group k+1 starts when group k has ended.', 1).exactOptional(),
      strategy: z.enum(STRATEGIES).describe('When the whole counts as done or failed. Default wait_all.').exactOptional(),
      maxWorkers: count('Items in flight at most; 0: no own limit.', 0).exactOptional(),
      itemVar: variable('Name of the item. Default `item`.').exactOptional(),
      indexVar: variable('Name of the index. Default `index`.').exactOptional(),
    }) as unknown as z.ZodType<CollectionTask>, // the tasks are typed as any registered task
  childLists: (task) => [{ at: ['each'], tasks: task.each, order: 'sequence', visibility: 'items', variables: itemVariables(task) }],
  expressions: (task) => [
    { at: ['items'], kind: itemsKind(task.items) },
    { at: ['filter'], kind: 'expression', variables: itemVariables(task) },
    { at: ['with'], kind: 'template', variables: itemVariables(task) },
  ],
  check: checkVariables,
};
