import { suggest } from '../did-you-mean';
import type { CheckContext, Fault } from '../task-type.definition';
import { outwards, type TaskNode } from './task-tree';

/** The rules that concern what a task does to the world: its actions are known, and what must be undone can be. */
export const checkActions = (node: TaskNode, context: CheckContext, isRollbackDocument: boolean): Fault[] => [
  ...unknownActions(node, context),
  ...undoTarget(node),
  ...missingUndo(node, context, isRollbackDocument),
];

const unknownActions = ({ task, type, at }: TaskNode, { actions }: CheckContext): Fault[] => {
  if (!actions) return [];
  const undo = task.undo && 'action' in task.undo ? [{ at: ['undo', 'action'], action: task.undo.action }] : [];
  return [...(type.actions?.(task) ?? []), ...undo]
    .filter(({ action }) => !actions.has(action))
    .map((use) => ({ at: [...at, ...use.at], code: 'unknown_action', message: `No action "${use.action}" is registered`, ...suggest(use.action, actions.keys()) }));
};

const undoTarget = (node: TaskNode): Fault[] => {
  const { undo } = node.task;
  if (!undo || !('by' in undo)) return [];
  const at = [...node.at, 'undo', 'by'];
  const known = [...outwards(node)].flatMap(({ list }) => list.nodes);
  const target = known.find(({ task }) => task.id === undo.by);
  if (!target || target === node) return [{ at, code: 'unknown_target', message: `No task "${undo.by}" here`, ...suggest(undo.by, known.map(({ task }) => task.id)) }];
  const isCovered = target.task.undo !== undefined && 'action' in target.task.undo;
  return isCovered ? [] : [{ at, code: 'missing_undo', message: `"${undo.by}" has no undo action that could cover this task` }];
};

/** Nothing is undone after the very last task: when it fails it has not finished, and nothing after it can fail. */
const isLast = (node: TaskNode): boolean =>
  [...outwards(node)].every(({ list, index }) => list.order === 'sequence' && list.visibility === 'children' && index === list.nodes.length - 1);

const missingUndo = (node: TaskNode, context: CheckContext, isRollbackDocument: boolean): Fault[] => {
  const effect = node.type.effectOf?.(node.task, context);
  if (effect === undefined || effect === 'none' || node.task.undo) return [];
  const [, ...above] = outwards(node);
  const isInScope = isRollbackDocument || above.some(({ task }) => 'rollback' in task && task.rollback === 'onFailure');
  if (!isInScope || isLast(node)) return [];
  return [{ at: [...node.at, 'id'], code: 'missing_undo', message: `"${node.task.id}" has an effect inside a rollback scope and no \`undo\``, hint: 'Add `undo`, or `effect: none` if there is nothing to undo' }];
};
