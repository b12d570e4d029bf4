import { parentPath, type Json, type JsonObject, type SegmentTask, type StepCommand, type TaskPath } from '@foldwork/events/contracts';
import { mergeReferences, type References, type Scope } from '../expressions';
import { taskAt, type CompiledDefinition, type CompiledTask } from '../plan/compiled-definition';
import type { RunState } from './run.state';
import { itemVariables, taskScope } from './task-scope';

/** So many segments travel in one command at most, so that several executors share a wide container. */
const SEGMENTS_MAX = 25;

/** Packs segments into commands: those of one list share their variables. */
export const stepCommands = (run: RunState, definition: CompiledDefinition, segments: readonly (readonly SegmentTask[])[], epoch: string): StepCommand[] => {
  const byList = Map.groupBy(segments, ([first]) => `${parentPath(first?.path ?? ('' as TaskPath))}${first?.undo === true ? '!' : ''}`);
  const commands: StepCommand[] = [];
  for (const group of byList.values()) {
    const references = referencesOf(definition, group);
    for (let start = 0; start < group.length; start += SEGMENTS_MAX) {
      commands.push(command(run, definition, group.slice(start, start + SEGMENTS_MAX), references, epoch));
    }
  }
  return commands;
};

const referencesOf = (definition: CompiledDefinition, segments: readonly (readonly SegmentTask[])[]): References => {
  const specs = new Set(segments.flatMap((segment) => segment.map(({ path }) => taskAt(definition, path))));
  return mergeReferences([...specs].map(({ references }) => references));
};

const command = (run: RunState, definition: CompiledDefinition, segments: readonly (readonly SegmentTask[])[], references: References, epoch: string): StepCommand => {
  const first = segments[0]?.[0]?.path ?? ('' as TaskPath);
  const locals = localNames(run, definition, first);
  const scope = Object.fromEntries(Object.entries(taskScope(run, definition, first, references)).filter(([name]) => !locals.has(name)));
  return {
    runId: run.runId,
    workflow: run.workflow,
    namespace: run.namespace,
    epoch,
    definition: run.definition,
    pool: 'default',
    scope,
    segments: segments.map((segment) => segment.map((task) => withLocals(run, definition, task, references))),
  };
};

const localNames = (run: RunState, definition: CompiledDefinition, path: TaskPath): ReadonlySet<string> =>
  new Set(['task', ...Object.keys(itemVariables(run, definition, path))]);

const withLocals = (run: RunState, definition: CompiledDefinition, task: SegmentTask, references: References): SegmentTask => {
  const items = itemVariables(run, definition, task.path);
  const inherited = inheritedInput(run, definition, task.path);
  const error = run.tasks.get(task.path)?.error;
  return {
    ...task,
    ...(Object.keys(items).length > 0 && { locals: items }),
    ...(inherited !== undefined && { inherited }),
    ...(references.variables.has('task') && error !== undefined && { error }),
    ...(task.undo === true && { output: run.tasks.get(task.path)?.output ?? null }),
  };
};

/** What containers around a task put beneath its own `with`, outermost first. */
export const inheritedInput = (run: RunState, definition: CompiledDefinition, path: TaskPath): JsonObject | undefined => {
  let inherited: JsonObject | undefined;
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) {
    const { with: template } = taskAt(definition, at);
    if (template === undefined || at.endsWith(']')) continue;
    const value = template.evaluate(taskScope(run, definition, path, template.references));
    if (isObject(value)) inherited = { ...value, ...inherited };
  }
  return inherited;
};

/** Item and index of the collection a task is the template of: part of its input. */
export const resolveInput = (spec: CompiledTask, task: SegmentTask, scope: Scope): Json | undefined => {
  const own = spec.with?.evaluate(scope);
  const items = task.path.endsWith(']') ? task.locals : undefined;
  const layers = [task.inherited, own, items, task.overlay].filter((layer) => layer !== undefined);
  if (layers.length <= 1) return layers[0];
  return layers.every(isObject) ? Object.assign({}, ...layers) as JsonObject : own;
};

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
