import { z } from 'zod';
import type { TaskDefinition } from '../../definition/definition';
import { commonFields, expression, strict, targetId } from '../../definition/schema-fields';
import type { Fault, Segment, TaskTypeDefinition } from '../../definition/task-type.definition';
import type { TimedTask } from '../../definition/task.definition';

/** Where a route leads: a task of the same list (or `end`), or a task written in place (id defaults to `inline`). */
export type RouteTarget = string | TaskDefinition;
export interface RouteCase {
  /** CEL. */
  readonly condition: string;
  readonly next: RouteTarget;
}

/** Chooses what comes next: by the value of `condition` as key of `routes`, or the first true case of a list. */
export interface RouterTask extends TimedTask {
  readonly type: 'router';
  /** CEL; present exactly when `routes` is a map. */
  readonly condition?: string;
  readonly routes: Readonly<Record<string, RouteTarget>> | readonly RouteCase[];
  readonly default?: RouteTarget;
}

const isCases = (routes: RouterTask['routes']): routes is readonly RouteCase[] => Array.isArray(routes);

interface PlacedTarget {
  readonly at: readonly Segment[];
  readonly target: RouteTarget;
}
const placedTargets = ({ routes, default: fallback }: RouterTask): PlacedTarget[] => [
  ...(isCases(routes)
    ? routes.map(({ next }, index) => ({ at: ['routes', index, 'next'], target: next }))
    : Object.entries(routes).map(([key, target]) => ({ at: ['routes', key], target }))),
  ...(fallback === undefined ? [] : [{ at: ['default'], target: fallback }]),
];

const checkCondition = (task: RouterTask): Fault[] => {
  const hasCondition = task.condition !== undefined;
  if (isCases(task.routes)) {
    return hasCondition ? [{ at: ['condition'], code: 'conflicting_fields', message: 'Routes in a list have a condition each; this one is not used' }] : [];
  }
  return hasCondition ? [] : [{ at: [], code: 'missing_field', message: 'A router with a map of routes needs `condition`' }];
};

export const routerTaskType: TaskTypeDefinition<RouterTask> = {
  type: 'router',
  summary: 'Chooses what comes next: by a value, or by the first true condition.',
  schema: (kit) => {
    const target = z.union([targetId(), kit.inlineTask('inline')], { error: 'Expected a task id or a task' });
    return strict({
      ...commonFields(),
      type: z.literal('router'),
      condition: expression('Its value as text chooses the key of `routes`.').exactOptional(),
      routes: z
        .union(
          [
            z.array(strict({ condition: expression('The first true one wins.'), next: target })).min(1).max(200),
            z.record(z.string(), target).refine((routes) => Object.keys(routes).length > 0, { error: 'At least one route' }),
          ],
          { error: 'Expected a map of routes or a list of {condition, next}' },
        )
        .describe('Map from value to task id or task, or a list of {condition, next}.'),
      default: target.describe('Taken when nothing matches.').exactOptional(),
    }) as unknown as z.ZodType<RouterTask>; // inline tasks are typed as any registered task
  },
  childLists: (task) =>
    placedTargets(task).flatMap(({ at, target }) =>
      typeof target === 'string' ? [] : [{ at, tasks: [target], isInline: true, order: 'sequence', visibility: 'children' } as const],
    ),
  expressions: ({ routes }) => [
    { at: ['condition'], kind: 'expression' },
    ...(isCases(routes) ? routes.map((_case, index) => ({ at: ['routes', index, 'condition'], kind: 'condition' }) as const) : []),
  ],
  targets: (task) => placedTargets(task).flatMap(({ at, target }) => (typeof target === 'string' ? [{ at, target }] : [])),
  fallsThrough: (task) => placedTargets(task).some(({ target }) => typeof target !== 'string'),
  check: checkCondition,
};
