import type { Json } from '@foldwork/events/contracts';
import { checkActions } from './checks/check-actions';
import { checkField, type CheckedField, type TextFault } from './checks/check-expressions';
import { checkList } from './checks/check-lists';
import { checkUse, type FieldScope, type ReferenceScope } from './checks/check-references';
import { ListFlow } from './checks/list-flow';
import { allLists, allTasks, buildTree, outwards, type ListNode, type TaskNode, type TaskTypes } from './checks/task-tree';
import type { Definition } from './definition';
import { schemaProblem } from './json-schema';
import type { CheckContext, ExpressionField, Fault, Segment } from './task-type.definition';
import type { JsonSchema } from './task.definition';
import { valueAt } from './zod-faults';

/** Fields that every task has, and what they see. */
const COMMON_FIELDS: readonly ExpressionField[] = [
  { at: ['when'], kind: 'condition' },
  { at: ['outputs'], kind: 'template', variables: ['output'], isDeferred: true },
  { at: ['onSuccess', 'with'], kind: 'template', variables: ['output'], isDeferred: true },
  { at: ['onError', 'with'], kind: 'template', variables: ['output'], isDeferred: true },
  { at: ['undo', 'with'], kind: 'template', variables: ['output'], isDeferred: true },
];

/** All that can be known about a definition before it runs, beyond its schema. */
export class StaticChecks {
  private readonly root: ListNode;
  private readonly flows = new Map<ListNode, ListFlow>();
  private readonly scope: ReferenceScope;

  /** `faulty`: places where the schema has already found faults; rules about a whole task are not applied there. */
  constructor(
    private readonly definition: Definition,
    types: TaskTypes,
    private readonly context: CheckContext,
    private readonly faulty: readonly (readonly Segment[])[],
  ) {
    this.root = buildTree(definition.tasks, types);
    this.scope = { root: this.root, flowOf: (list) => this.flowOf(list), input: definition.input };
  }

  run(): TextFault[] {
    const touched = this.touchedTasks();
    return [
      ...this.documentFaults(),
      ...[...allLists(this.root)].flatMap((list) => checkList(list, this.flowOf(list))),
      ...[...allTasks(this.root)].flatMap((node) => [...this.expressionFaults(node), ...schemaFault(node.task.output, [...node.at, 'output'])]),
      ...[...allTasks(this.root)].filter((node) => !touched.has(node)).flatMap((node) => this.taskFaults(node)),
    ];
  }

  private flowOf(list: ListNode): ListFlow {
    const known = this.flows.get(list);
    if (known) return known;
    const flow = new ListFlow(list);
    this.flows.set(list, flow);
    return flow;
  }

  private documentFaults(): TextFault[] {
    const { input, triggers = [], lane, output } = this.definition;
    return [
      ...schemaFault(input, ['input']),
      ...triggers.flatMap(({ schema }, index) => schemaFault(schema, ['triggers', index, 'schema'])),
      ...this.checkUses(checkField(lane?.key ?? null, ['lane', 'key'], 'expression'), { node: undefined, variables: [], isDeferred: false }),
      ...this.checkUses(checkField(output ?? null, ['output'], 'template'), { node: undefined, variables: [], isDeferred: true }),
    ];
  }

  private expressionFaults(node: TaskNode): TextFault[] {
    const inherited = [...outwards(node)].flatMap(({ list }) => list.variables ?? []);
    const fields = [...COMMON_FIELDS, ...(node.type.expressions?.(node.task) ?? [])];
    return fields.flatMap(({ at, kind, variables = [], isDeferred = false }) => {
      const value = valueAt(node.task, at) as Json | undefined; // definitions are JSON
      if (value === undefined) return [];
      return this.checkUses(checkField(value, [...node.at, ...at], kind), { node, variables: [...inherited, ...variables], isDeferred });
    });
  }

  private checkUses({ faults, uses }: CheckedField, field: FieldScope): TextFault[] {
    return [...faults, ...uses.flatMap((use) => checkUse(use, field, this.scope))];
  }

  private taskFaults(node: TaskNode): Fault[] {
    const own = node.type.check?.(node.task, this.context) ?? [];
    return [
      ...own.map((fault) => ({ ...fault, at: [...node.at, ...fault.at] })),
      ...checkActions(node, this.context, this.definition.rollback === 'onFailure'),
    ];
  }

  /** The innermost task around each faulty place. */
  private touchedTasks(): ReadonlySet<TaskNode> {
    const nodes = [...allTasks(this.root)];
    return new Set(
      this.faulty.flatMap((at) => {
        const around = nodes.filter((node) => node.at.every((segment, index) => segment === at[index]));
        return around.toSorted((left, right) => right.at.length - left.at.length).slice(0, 1);
      }),
    );
  }
}

const schemaFault = (schema: JsonSchema | undefined, at: readonly Segment[]): Fault[] => {
  const problem = schema === undefined ? undefined : schemaProblem(schema);
  return problem === undefined ? [] : [{ at, code: 'invalid_schema', message: problem }];
};
