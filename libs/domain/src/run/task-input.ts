import { ExactNumber, parentPath, type Json, type JsonObject, type SegmentTask, type TaskPath } from '@foldwork/events/contracts';
import type { Scope } from '../expressions';
import { taskAt, type CompiledDefinition, type CompiledTask } from '../plan/compiled-definition';
import type { RunState } from './run.state';
import { taskScope } from './task-scope';

/**
 * What the containers around a task put beneath its own `with`: the nearest one's input, which has those of the ones
 * outside in it already; inside a collection also its `with`, made for each item. Throws `ExpressionError`.
 */
export const inheritedInput = (run: RunState, definition: CompiledDefinition, path: TaskPath): JsonObject | undefined => {
  const parent = parentPath(path);
  // a task written in place of a route is the only child of a task that has no input of its own to hand on
  if (parent === '' || taskAt(definition, parent).choosesNext) return undefined;
  const container = run.tasks.get(parent)?.input;
  const outer = isObject(container) ? container : undefined;
  const template = path.endsWith(']') ? taskAt(definition, parent).with : undefined;
  if (template === undefined) return outer;
  const own = template.evaluate(taskScope(run, definition, path, template.references));
  return isObject(own) ? { ...outer, ...own } : outer;
};

/**
 * The input that is recorded of a container: what it inherits, its own `with`, and the overlay of the transition that led
 * to it. A collection's `with` is made for each item. Throws `ExpressionError`.
 */
export const containerInput = (run: RunState, definition: CompiledDefinition, path: TaskPath, overlay: Json | undefined): JsonObject | undefined => {
  const spec = taskAt(definition, path);
  const own = spec.with === undefined || spec.each !== undefined ? undefined : spec.with.evaluate(taskScope(run, definition, path, spec.with.references));
  const layers = [inheritedInput(run, definition, path), own, overlay].filter(isObject);
  return layers.length === 0 ? undefined : merged(layers);
};

/** The input of an attempt: inherited < own `with` < item and index < overlay. Throws `ExpressionError`. */
export const resolveInput = (spec: CompiledTask, task: SegmentTask, scope: Scope): Json | undefined => {
  const own = spec.with?.evaluate(scope);
  const items = task.path.endsWith(']') ? task.locals : undefined;
  const layers = [task.inherited, own, items, task.overlay].filter((layer) => layer !== undefined);
  if (layers.length <= 1) return layers[0];
  return layers.every(isObject) ? merged(layers) : own;
};

/** Entry by entry: `Object.assign` would take a key `__proto__` of the data for the prototype. */
const merged = (layers: readonly JsonObject[]): JsonObject => Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)));

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
