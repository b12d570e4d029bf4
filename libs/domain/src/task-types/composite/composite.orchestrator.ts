import { compileTemplate } from '../../expressions';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { compositeTaskType, type CompositeTask } from './composite.definition';

/** Its tasks one after another, along their transitions; or another workflow as a run of its own. */
const compositeV1: Orchestrator = {
  type: 'composite',
  version: 1,
  begin: (view) => {
    const { workflow } = specOf(view);
    if (workflow !== undefined) return [{ kind: 'startRun', workflow, input: childInput(view) }];
    const tasks = (view.spec.list?.tasks ?? []).map(({ id, type }) => ({ id, type }));
    return [{ kind: 'begin', children: { childCount: tasks.length, tasks } }];
  },
  advance: (view) => (specOf(view).workflow === undefined ? [{ kind: 'runList' }] : followRun(view)),
};

const specOf = ({ spec }: TaskView): CompositeTask => spec.spec as CompositeTask; // the registry hands a type its own specs

const childInput = (view: TaskView) => {
  const { with: template } = specOf(view);
  const own = template === undefined ? {} : view.evaluate(compileTemplate(template));
  return isMap(own) && isMap(view.overlay) ? { ...own, ...view.overlay } : own;
};

const isMap = (value: unknown): value is Record<string, never> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A child run of an earlier attempt says nothing about this one. */
const followRun = (view: TaskView): readonly Directive[] => {
  const { childRun } = view.task;
  const known = childRun && view.childRun(childRun.runId);
  if (known === undefined || known.status === 'open' || known.attempt < (childRun?.attempt ?? 1)) return [];
  if (known.status === 'succeeded') return [{ kind: 'complete', output: known.output }];
  const again = known.status === 'failed' && known.canBeRetried && childRun !== undefined ? { childRun: { ...childRun, attempt: known.attempt } } : {};
  return [{ kind: 'fail', error: known.error, ...again }];
};

export const composite: TaskTypeModule = {
  definition: compositeTaskType as TaskTypeModule['definition'],
  worker: 'engine',
  orchestrators: [compositeV1],
};
