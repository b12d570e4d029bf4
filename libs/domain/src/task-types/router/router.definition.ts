import type { TaskDefinition } from '../../definition/definition';
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
