import { ExactNumber, type FailureDetail, type Json, type JsonObject } from '@foldwork/events/contracts';
import { compileExpression, evaluateBoolean } from '../../expressions';
import { isUnsuccessful } from '../../task/task-machine';
import { childFailure } from '../child-failure';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { routerTaskType, type RouterTask, type RouteTarget } from './router.definition';

/**
 * Chooses what comes next: a task of its list, which its result names; or a task written in place, which is its only
 * child and whose end it waits for.
 */
const routerV1: Orchestrator = {
  type: 'router',
  version: 1,
  begin: (view) => {
    const choice = chooseRoute(view);
    return 'error' in choice ? [{ kind: 'fail', error: choice.error }] : takeRoute(view, choice);
  },
  advance: (view) => {
    const [child] = view.children();
    if (child === undefined) return [];
    if (child.status === 'completed' || child.status === 'skipped') return [{ kind: 'complete', output: { ...recorded(view), result: child.output ?? null } }];
    if (!isUnsuccessful(child.status) || view.retrying.failed + view.retrying.timedOut > 0) return [{ kind: 'runChild', index: 0 }];
    return [{ kind: 'fail', error: childFailure([child]) }];
  },
};

/** What was chosen, from the event that began the task: the expression is not asked twice. */
const recorded = ({ task }: TaskView): JsonObject => task.input as JsonObject;

interface Choice {
  readonly condition: Json;
  readonly route: string;
  readonly target: RouteTarget;
  readonly routerType: string;
}

const chooseRoute = (view: TaskView): Choice | { error: FailureDetail } => {
  const spec = view.spec.spec as RouterTask; // the registry hands a type its own specs
  return Array.isArray(spec.routes) ? chooseInOrder(view, spec) : chooseByKey(view, spec);
};

const chooseByKey = (view: TaskView, { condition = '', routes, default: otherwise }: RouterTask): Choice | { error: FailureDetail } => {
  const value = view.evaluate(compileExpression(condition));
  if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber)) return refuse('ROUTE_INVALID', 'the router condition gave a list or a map');
  const key = value === null ? '' : String(value).trim();
  if (key === '') return refuse('ROUTE_EMPTY', 'the router condition gave nothing');
  const target = Object.entries(routes).find(([name]) => name.trim() === key)?.[1] ?? otherwise;
  if (target === undefined) return refuse('ROUTE_NOT_FOUND', `no route for "${key}" and no default; routes: ${Object.keys(routes).sort().join(', ')}`);
  return { condition: value, route: key, target, routerType: 'map' };
};

const chooseInOrder = (view: TaskView, { routes, default: otherwise }: RouterTask): Choice | { error: FailureDetail } => {
  const cases = Array.isArray(routes) ? routes : [];
  const index = cases.findIndex(({ condition }) => {
    const compiled = compileExpression(condition);
    return evaluateBoolean(compiled, view.scopeOf(compiled));
  });
  const target = index < 0 ? otherwise : cases[index]?.next;
  if (target === undefined) return refuse('ROUTE_NOT_FOUND', 'no condition of the router is true and there is no default');
  return { condition: index >= 0, route: index < 0 ? 'default' : String(index), target, routerType: 'ordered' };
};

const refuse = (code: string, message: string): { error: FailureDetail } => ({ error: { code, message } });

const takeRoute = (view: TaskView, { condition, route, target, routerType }: Choice): Directive[] => {
  if (typeof target === 'string') {
    return [{ kind: 'complete', output: { condition, routeTaken: target, routerType }, next: { task: target } }];
  }
  const inline = inlineTargets(view.spec.spec as RouterTask); // the registry hands a type its own specs
  const child = view.spec.list?.tasks[inline.indexOf(target)];
  if (child === undefined) return [{ kind: 'fail', error: refuse('ROUTE_INVALID', `route ${route} leads nowhere`).error }];
  const children = { childCount: 1, tasks: [{ id: child.id, type: child.type }] };
  return [{ kind: 'begin', input: { condition, routeTaken: child.id, routerType }, children }];
};

/** In the order in which the language lists them: that of the compiled children. */
const inlineTargets = ({ routes, default: otherwise }: RouterTask): RouteTarget[] => {
  const targets = Array.isArray(routes) ? routes.map(({ next }) => next) : Object.values(routes);
  return [...targets, ...(otherwise === undefined ? [] : [otherwise])].filter((target) => typeof target !== 'string');
};

export const router: TaskTypeModule = {
  definition: routerTaskType as TaskTypeModule['definition'],
  worker: 'engine',
  choosesNext: true,
  orchestrators: [routerV1],
};
