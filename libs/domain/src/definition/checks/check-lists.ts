import { suggest } from '../did-you-mean';
import type { Fault } from '../task-type.definition';
import { explicitEdges, type ListFlow } from './list-flow';
import { outwards, type ListNode, type TaskNode } from './task-tree';

export const MAX_NESTING = 20;

/** Ids, targets, reachability and loops of one list. */
export const checkList = (list: ListNode, flow: ListFlow): Fault[] => [
  ...duplicateIds(list),
  ...list.nodes.flatMap((node) => [...idFaults(node), ...finalFaults(node), ...targetFaults(node, flow)]),
  ...(list.order === 'sequence' ? unreachableTasks(flow) : []),
];

const duplicateIds = ({ nodes }: ListNode): Fault[] => {
  const seen = new Set<string>();
  return nodes.flatMap(({ task: { id }, at }) => {
    const isNew = !seen.has(id);
    seen.add(id);
    if (isNew) return [];
    return [{ at: [...at, 'id'], code: 'duplicate_id', message: `The id "${id}" is taken by another task of this list` }];
  });
};

const idFaults = (node: TaskNode): Fault[] => {
  const [, ...above] = outwards(node);
  const faults: Fault[] = [];
  if (above.some(({ task }) => task.id === node.task.id))
    faults.push({ at: [...node.at, 'id'], code: 'self_reference', message: `"${node.task.id}" is the id of a task that contains this one` });
  if (above.length === MAX_NESTING) faults.push({ at: node.at, code: 'too_deep', message: `Tasks are nested more than ${MAX_NESTING} levels deep` });
  return faults;
};

const finalFaults = ({ task, at }: TaskNode): Fault[] =>
  task.final === true && task.onSuccess?.next !== undefined
    ? [{ at: [...at, 'final'], code: 'conflicting_fields', message: '`final` ends the list, `onSuccess.next` goes on' }]
    : [];

const targetFaults = (node: TaskNode, flow: ListFlow): Fault[] =>
  explicitEdges(node).flatMap(({ to, at = node.at }): Fault[] => {
    const fault = { at, ...targetFault(node, to, flow) };
    return fault.code === undefined ? [] : [fault as Fault];
  });

const targetFault = (node: TaskNode, to: string, flow: ListFlow): Partial<Fault> => {
  const { list } = node;
  if (list.order === 'branches' || list.isInline)
    return { code: 'invalid_transition', message: list.isInline ? 'A task written in place has no siblings to go to' : 'Branches run at the same time: none comes next' };
  if (to === 'end') return {};
  const target = flow.indexOf(to);
  if (target === undefined) return { code: 'unknown_target', message: `No task "${to}" in this list`, ...suggest(to, ['end', ...list.nodes.map(({ task }) => task.id)]) };
  const isBackward = target <= list.nodes.indexOf(node);
  return isBackward && list.nodes[target]?.task.maxVisits === undefined
    ? { code: 'unbounded_loop', message: `This leads back to "${to}", which has no \`maxVisits\``, hint: `Give "${to}" a \`maxVisits\`` }
    : {};
};

const unreachableTasks = (flow: ListFlow): Fault[] =>
  flow.unreachable().map(({ at, task }) => ({ at: [...at, 'id'], code: 'unreachable_task', message: `Nothing leads to "${task.id}"` }));
