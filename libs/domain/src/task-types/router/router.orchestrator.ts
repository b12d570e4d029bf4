import type { FailureDetail, Json } from '@foldwork/events/contracts';
import { compileExpression, evaluateBoolean } from '../../expressions';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { routerTaskType, type RouterTask, type RouteTarget } from './router.definition';

/** Chooses the sibling, or the inline task, that comes next. */
const routerV1: Orchestrator = {
  type: 'router',
  version: 1,
  begin: (view) => {
    const choice = chooseRoute(view);
    return 'error' in choice ? [{ kind: 'fail', error: choice.error }] : takeRoute(choice);
  },
};

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

const takeRoute = ({ condition, target, routerType }: Choice): Directive[] => {
  const routeTaken = typeof target === 'string' ? target : target.id;
  return [{ kind: 'complete', output: { condition, routeTaken, routerType }, next: { task: routeTaken } }];
};

export const router: TaskTypeModule = { definition: routerTaskType as TaskTypeModule['definition'], orchestrators: [routerV1] };
