import type { Segment } from '../task-type.definition';
import type { ListNode, TaskNode } from './task-tree';

/** A place where a task of a list may lead to another one. */
export interface Edge {
  readonly to: string;
  /** The field that says so; absent for list order. */
  readonly at?: readonly Segment[];
}

/** The `next` fields of a task, `end` included. */
export const explicitEdges = ({ task, type, at }: TaskNode): Edge[] => {
  const edges: Edge[] = [];
  if (task.onSuccess?.next !== undefined) edges.push({ to: task.onSuccess.next, at: [...at, 'onSuccess', 'next'] });
  if (task.onError?.next !== undefined) edges.push({ to: task.onError.next, at: [...at, 'onError', 'next'] });
  for (const target of type.targets?.(task) ?? []) edges.push({ to: target.target, at: [...at, ...target.at] });
  return edges;
};

/** List order leads on unless the task ends the list or success leads elsewhere; a skipped task always falls through. */
const fallsThrough = ({ task, type }: TaskNode): boolean => {
  if (task.when !== undefined) return true;
  if (task.onError && task.onError.next === undefined) return true;
  if (type.fallsThrough) return type.fallsThrough(task);
  return task.final !== true && task.onSuccess?.next === undefined;
};

/** Which tasks of a sequence may follow which, by index; a question takes linear time at most. */
export class ListFlow {
  private readonly indexes: ReadonlyMap<string, number>;
  private readonly followers: readonly (readonly number[])[];
  /** The last task that list order alone leads to: answers most questions at once. */
  private readonly chainEnds: readonly number[];
  /** Without a jump backwards nothing precedes an earlier task. */
  private readonly hasBackwardJump: boolean;

  constructor(private readonly list: ListNode) {
    this.indexes = new Map(list.nodes.map((node, position) => [node.task.id, position]));
    this.followers = list.nodes.map((node, position) => this.followersOf(node, position));
    this.chainEnds = chainEnds(this.followers);
    this.hasBackwardJump = this.followers.some((next, position) => next.some((index) => index <= position));
  }

  indexOf(id: string): number | undefined {
    return this.indexes.get(id);
  }

  /** Whether `later` may begin after `earlier` has run. */
  mayPrecede(earlier: number, later: number): boolean {
    if (earlier < later && later <= (this.chainEnds[earlier] ?? earlier)) return true;
    return (this.hasBackwardJump || earlier < later) && this.from(earlier).has(later);
  }

  unreachable(): TaskNode[] {
    const reached = this.from(0);
    return this.list.nodes.filter((_node, index) => index !== 0 && !reached.has(index));
  }

  private followersOf(node: TaskNode, position: number): number[] {
    if (node.type.leadsAnywhere) return this.list.nodes.map((_node, index) => index);
    const jumps = explicitEdges(node).map(({ to }) => this.indexes.get(to)).filter((index) => index !== undefined);
    return fallsThrough(node) && position + 1 < this.list.nodes.length ? [position + 1, ...jumps] : jumps;
  }

  private from(start: number): ReadonlySet<number> {
    const seen = new Set<number>();
    const open = [...(this.followers[start] ?? [])];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      open.push(...(this.followers[index] ?? []));
    }
    return seen;
  }
}

const chainEnds = (followers: readonly (readonly number[])[]): number[] => {
  const ends = followers.map((_next, index) => index);
  for (let index = followers.length - 2; index >= 0; index--) {
    if (followers[index]?.includes(index + 1)) ends[index] = ends[index + 1] ?? index;
  }
  return ends;
};
