import type { ChildList, Segment, TaskTypeDefinition } from '../task-type.definition';
import type { TaskCommon } from '../task.definition';

/** A task where it stands. */
export interface TaskNode {
  readonly task: TaskCommon;
  readonly type: TaskTypeDefinition;
  readonly at: readonly Segment[];
  readonly index: number;
  readonly list: ListNode;
  readonly children: readonly ListNode[];
}

/** A list of tasks (or one inline task) where it stands. */
export interface ListNode extends Omit<ChildList, 'tasks' | 'at'> {
  readonly at: readonly Segment[];
  readonly owner: TaskNode | undefined;
  readonly nodes: readonly TaskNode[];
}

export type TaskTypes = ReadonlyMap<string, TaskTypeDefinition>;

const ROOT = { order: 'sequence', visibility: 'children' } as const;

export const buildTree = (tasks: readonly TaskCommon[], types: TaskTypes): ListNode =>
  buildList({ ...ROOT, at: ['tasks'], tasks }, undefined, [], types);

const buildList = ({ tasks, at, ...rest }: ChildList, owner: TaskNode | undefined, base: readonly Segment[], types: TaskTypes): ListNode => {
  const nodes: TaskNode[] = [];
  const list: ListNode = { ...rest, at: [...base, ...at], owner, nodes };
  for (const [index, task] of tasks.entries()) {
    const type = types.get(task.type);
    if (type) nodes.push(buildNode({ task, type, index, list }, types));
  }
  return list;
};

const buildNode = (placed: Omit<TaskNode, 'at' | 'children'>, types: TaskTypes): TaskNode => {
  const { task, type, list, index } = placed;
  const children: ListNode[] = [];
  const node: TaskNode = { ...placed, at: list.isInline ? list.at : [...list.at, index], children };
  for (const child of type.childLists?.(task) ?? []) children.push(buildList(child, node, node.at, types));
  return node;
};

export function* allLists(list: ListNode): Generator<ListNode> {
  yield list;
  for (const node of list.nodes) for (const child of node.children) yield* allLists(child);
}

export function* allTasks(list: ListNode): Generator<TaskNode> {
  for (const inner of allLists(list)) yield* inner.nodes;
}

/** From the task itself outwards: it, the task that contains it, … */
export function* outwards(node: TaskNode): Generator<TaskNode> {
  for (let current: TaskNode | undefined = node; current; current = current.list.owner) yield current;
}
