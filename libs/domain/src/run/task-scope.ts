import { childPath, formatRunId, parentPath, type Json, type JsonObject, type TaskPath } from '@foldwork/events/contracts';
import type { References, Scope } from '../expressions';
import { taskAt, type CompiledDefinition, type CompiledTask } from '../plan/compiled-definition';
import type { RunState, TaskState } from './run.state';
import { plannedChildPath } from './apply-children';

/**
 * The variables that an expression at `path` may use, limited to those it refers to. Plain JSON, so that the same
 * object serves the planner's decisions and travels to an executor with a step command.
 */
export const taskScope = (run: RunState, definition: CompiledDefinition, path: TaskPath, references: References): Scope => {
  const scope: { [name: string]: Json } = {};
  const spec = path === '' ? undefined : taskAt(definition, path);
  const wants = (name: string): boolean => references.variables.has(name);
  if (wants('input')) scope['input'] = run.input;
  if (wants('env')) scope['env'] = spec?.env ?? (definition.definition.env as JsonObject | undefined) ?? {};
  if (wants('run')) scope['run'] = runVariable(run);
  if (wants('task') && spec !== undefined) scope['task'] = taskVariable(run.tasks.get(path), spec);
  if (wants('tasks') || references.tasks.size > 0) scope['tasks'] = tasksVariable(run, definition, path, references);
  if (wants('parent') && path !== '') scope['parent'] = parentVariable(run, definition, parentPath(path), PARENT_DEPTH);
  if (wants('previous')) scope['previous'] = previousOutput(run, definition, path);
  return Object.assign(scope, itemVariables(run, definition, path));
};

const PARENT_DEPTH = 5;

const runVariable = (run: RunState): JsonObject => ({
  id: formatRunId(run.runId),
  workflow: run.workflow,
  requestedAt: new Date(run.request.at).toISOString(),
});

const taskVariable = (task: TaskState | undefined, spec: CompiledTask): JsonObject => ({
  id: spec.id,
  attempt: task?.attempt ?? 0,
  error: task?.error === undefined ? null : { ...task.error },
});

/** Tasks are found by id in the innermost list that has one of that name, then in the lists around it. */
const tasksVariable = (run: RunState, definition: CompiledDefinition, path: TaskPath, references: References): JsonObject => {
  const visible: JsonObject = {};
  for (let list = path; list !== ''; ) {
    list = parentPath(list);
    const ids = references.allTasks ? siblingIds(run, list) : references.tasks;
    for (const id of ids) {
      if (Object.hasOwn(visible, id)) continue;
      const task = latestVisit(run, childPath(list, id));
      if (task !== undefined) visible[id] = taskView(run, definition, task);
    }
  }
  if (path === '') {
    for (const id of references.allTasks ? run.rootTasks : references.tasks) {
      const task = latestVisit(run, childPath(path, id));
      if (task !== undefined) visible[id] = taskView(run, definition, task);
    }
  }
  return visible;
};

const siblingIds = (run: RunState, list: TaskPath): readonly string[] =>
  list === '' ? run.rootTasks : (run.tasks.get(list)?.children?.plan.tasks?.map(({ id }) => id) ?? []);

/** The newest visit of a task that a loop came back to. */
const latestVisit = (run: RunState, path: TaskPath): TaskState | undefined => {
  let latest = run.tasks.get(path);
  for (let visit = 2; latest !== undefined; visit += 1) {
    const later = run.tasks.get(`${path}#${visit}` as TaskPath);
    if (later === undefined || later.status === 'pending') return latest;
    latest = later;
  }
  return latest;
};

const taskView = (run: RunState, definition: CompiledDefinition, task: TaskState): JsonObject => {
  const view: JsonObject = {
    status: task.status,
    input: task.input ?? {},
    output: task.output ?? null,
    error: task.error === undefined ? null : { ...task.error },
  };
  // Children can be many: they are put in only where the definition speaks of them.
  if (definition.mentionsChildren && task.children !== undefined) view['children'] = childrenView(run, definition, task);
  return view;
};

const childrenView = (run: RunState, definition: CompiledDefinition, parent: TaskState): JsonObject => {
  const views: JsonObject = {};
  const plan = parent.children?.plan;
  for (let index = 0; plan !== undefined && index < plan.childCount; index += 1) {
    const child = run.tasks.get(plannedChildPath(parent.path, plan, index));
    if (child !== undefined) views[childKey(child.path)] = taskView(run, definition, child);
  }
  return views;
};

/** What a child is called in its parent's output: `left`, `images[3]`. */
export const childKey = (path: TaskPath): string => path.slice(path.lastIndexOf('/') + 1);

const parentVariable = (run: RunState, definition: CompiledDefinition, path: TaskPath, depth: number): JsonObject | null => {
  const task = run.tasks.get(path);
  if (task === undefined || depth === 0) return null;
  return { ...taskView(run, { ...definition, mentionsChildren: false }, task), id: childKey(path), parent: parentVariable(run, definition, parentPath(path), depth - 1) };
};

const previousOutput = (run: RunState, definition: CompiledDefinition, path: TaskPath): Json => {
  if (path === '') return null;
  const list = parentPath(path);
  const siblings = list === '' ? definition.root : taskAt(definition, list).list;
  if (siblings?.sequential !== true) return null; // nothing comes before a branch
  const index = siblings?.indexById.get(taskAt(definition, path).id) ?? 0;
  for (let before = index - 1; before >= 0; before -= 1) {
    const sibling = siblings?.tasks[before];
    const task = sibling && latestVisit(run, childPath(list, sibling.id));
    if (task?.status === 'completed') return task.output ?? null;
  }
  return null;
};

/** `item` and `index` (or the names given for them) of every collection around the path, inner names winning. */
export const itemVariables = (run: RunState, definition: CompiledDefinition, path: TaskPath): JsonObject => {
  const variables: JsonObject = {};
  for (let at = path; at !== ''; at = parentPath(at)) {
    if (!at.endsWith(']')) continue;
    const parent = parentPath(at);
    const items = run.tasks.get(parent)?.children?.plan.items;
    if (items === undefined) continue;
    const spec = taskAt(definition, parent);
    const index = Number(at.slice(at.lastIndexOf('[') + 1, -1));
    if (!Object.hasOwn(variables, spec.itemVar)) variables[spec.itemVar] = items[index] ?? null;
    if (spec.indexVar !== undefined && !Object.hasOwn(variables, spec.indexVar)) variables[spec.indexVar] = index;
  }
  return variables;
};
