import { compileExpression, type Scope } from '../../expressions';
import type { TaskView } from '../orchestrator';
import type { CollectionTask } from './collection.definition';

const DROPS: ReadonlySet<string> = new Set(['false', 'no', '0', 'off', '', 'null']);

/** A filter keeps an item unless it gives false, no, 0, off or blank (case and spaces do not matter). */
export const keepsItem = (view: TaskView, { filter }: CollectionTask, scope: Scope): boolean => {
  if (filter === undefined) return true;
  const value = view.evaluate(compileExpression(filter), scope);
  return !DROPS.has(String(value).trim().toLowerCase());
};
