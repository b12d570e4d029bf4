import type { Json } from '@foldwork/events/contracts';
import type { Scope } from '../../expressions';
import { advanceBranches, errorsOf, outputsByName, progressOf } from '../branches';
import { endedCount } from '../child-counts';
import type { Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { collectionTaskType, itemsTemplate, type CollectionTask } from './collection.definition';
import { expandItems } from './expand-items';
import { keepsItem } from './keeps-item';

/** One child per item, all at once, in groups, or one after another. */
const collectionV1: Orchestrator = {
  type: 'collection',
  version: 1,
  begin: (view) => {
    const { strategy, maxWorkers } = specOf(view);
    const { items, skippedCount } = keptItems(view);
    const itemType = view.spec.each?.type ?? 'basic';
    const children = { childCount: items.length, strategy: strategy ?? 'wait_all', maxWorkers: maxWorkers ?? 0, items, itemType, skippedCount };
    return [{ kind: 'begin', children }];
  },
  advance: (view) => {
    const { mode, batch } = specOf(view);
    return advanceBranches(view, {
      output: (done, counts) => ({
        outputs: outputsByName(done),
        results: done.children().map(({ output }) => output ?? null),
        itemCount: counts.total,
        skippedCount: done.task.children?.plan.skippedCount ?? 0,
        progress: progressOf(counts),
        ...errorsOf(done),
      }),
      indexLimit: (counts) => (batch === undefined ? counts.total : (Math.floor(endedCount(counts) / batch) + 1) * batch),
      sequential: mode === 'sequential',
    });
  },
};

const specOf = ({ spec }: TaskView): CollectionTask => spec.spec as CollectionTask; // the registry hands a type its own specs

const keptItems = (view: TaskView): { items: Json[]; skippedCount: number } => {
  const spec = specOf(view);
  const all = expandItems(view.evaluate(itemsTemplate(spec.items)));
  const items = all.filter((item, index) => keepsItem(view, spec, itemScope(view, item, index)));
  return { items, skippedCount: all.length - items.length };
};

const itemScope = ({ spec }: TaskView, item: Json, index: number): Scope => ({ [spec.itemVar]: item, ...(spec.indexVar !== undefined && { [spec.indexVar]: index }) });

export const collection: TaskTypeModule = { definition: collectionTaskType as TaskTypeModule['definition'], worker: 'engine', orchestrators: [collectionV1] };
