import type { DefinitionHash, Json } from '@foldwork/events/contracts';
import { mergeRetry, type ChildList, type Definition, type Env, type RetryOverride, type TaskCommon, type Transition } from '../definition';
import { compileExpression, compileTemplate, mergeReferences, type Expression, type Template } from '../expressions';
import { DEFAULT_RETRY, type RetryPolicy } from '../policies/retry-policy';
import { taskTypes } from '../task-types/registry';
import type { CompiledDefinition, CompiledList, CompiledTask, CompiledTransition } from './compiled-definition';

interface Surroundings {
  readonly env: Env;
  readonly retry: RetryOverride | undefined;
  readonly tasks: Map<string, CompiledTask>;
}

/** Makes an accepted definition ready for deciding. Throws `ExpressionError` only for definitions never checked. */
export const compileDefinition = (definition: Definition, hash: DefinitionHash): CompiledDefinition => {
  const tasks = new Map<string, CompiledTask>();
  const root = compileList(definition.tasks, '', { env: definition.env ?? {}, retry: definition.retry, tasks }, true);
  return {
    workflow: definition.workflow,
    hash,
    definition,
    root,
    tasks,
    ...(definition.output !== undefined && { output: compileTemplate(definition.output) }),
    ...(definition.lane && { laneKey: compileExpression(definition.lane.key) }),
    ...(definition.timeout !== undefined && { timeoutMs: definition.timeout }),
    rollback: definition.rollback === 'onFailure',
    limitsPickUp: [...tasks.values()].some(({ scheduleTimeoutMs }) => scheduleTimeoutMs !== undefined),
    mentionsChildren: JSON.stringify(definition).includes('children'),
  };
};

const compileList = (tasks: readonly TaskCommon[], base: string, around: Surroundings, sequential: boolean): CompiledList => {
  const compiled = withOwnIds(tasks).map((task) => compileTask(task, base === '' ? task.id : `${base}/${task.id}`, around));
  return { tasks: compiled, indexById: new Map(compiled.map(({ id }, index) => [id, index])), sequential };
};

/** Tasks written in place may share the id that they got by default; inside a run each has a path of its own. */
const withOwnIds = (tasks: readonly TaskCommon[]): readonly TaskCommon[] => {
  const taken = new Set(tasks.map(({ id }) => id));
  const seen = new Set<string>();
  return tasks.map((task) => {
    if (!seen.has(task.id)) {
      seen.add(task.id);
      return task;
    }
    let number = 2;
    while (taken.has(`${task.id}-${number}`)) number += 1;
    taken.add(`${task.id}-${number}`);
    return { ...task, id: `${task.id}-${number}` };
  });
};

const compileTask = (spec: TaskCommon, path: string, around: Surroundings): CompiledTask => {
  const env = { ...around.env, ...spec.env };
  const inside = { ...around, env };
  const lists = taskTypes.definitionOf(spec.type).childLists?.(spec) ?? [];
  const { worker, choosesNext, timeLimit } = taskTypes.traitsOf(spec.type);
  const compiled: CompiledTask = {
    id: spec.id,
    type: spec.type,
    path,
    spec,
    executed: worker === 'executor',
    choosesNext: choosesNext ?? false,
    rollback: 'rollback' in spec && spec.rollback === 'onFailure',
    env,
    ...expressionsOf(spec),
    ...(spec.output !== undefined && { outputSchema: spec.output }),
    retry: retryPolicy(around.retry, spec, worker === 'executor'),
    ...limitsOf(spec, timeLimit),
    sleepMs: spec.sleep ?? 0,
    final: spec.final ?? false,
    ...(spec.onSuccess && { onSuccess: transition(spec.onSuccess) }),
    ...(spec.onError && { onError: transition(spec.onError) }),
    ...(spec.maxVisits !== undefined && { maxVisits: spec.maxVisits }),
    ...childrenOf(lists, path, inside),
    routeTargets: routeTargets(spec),
    ...itemNames(lists),
  };
  around.tasks.set(path, compiled);
  return compiled;
};

/** The engine's defaults, then the document's, then the task's, field by field. Only work of executors is retried unasked. */
const retryPolicy = (outer: RetryOverride | undefined, { retry }: TaskCommon, executed: boolean): RetryPolicy => {
  const merged = mergeRetry(outer, retry);
  return {
    maximumAttempts: (executed ? merged.maximumAttempts : retry?.maximumAttempts) ?? (executed ? DEFAULT_RETRY.maximumAttempts : 1),
    initialIntervalMs: merged.initialInterval ?? DEFAULT_RETRY.initialIntervalMs,
    backoffCoefficient: merged.backoffCoefficient ?? DEFAULT_RETRY.backoffCoefficient,
    maximumIntervalMs: merged.maximumInterval ?? DEFAULT_RETRY.maximumIntervalMs,
    nonRetryableErrors: merged.nonRetryableErrors ?? DEFAULT_RETRY.nonRetryableErrors,
  };
};

const limitsOf = (spec: TaskCommon, timeLimit: number | 'own' = Infinity): { timeoutMs?: number; scheduleTimeoutMs?: number; heartbeatMs?: number } => ({
  ...timeoutOf(spec, timeLimit),
  ...(spec.scheduleTimeout !== undefined && { scheduleTimeoutMs: spec.scheduleTimeout }),
  ...(spec.heartbeat !== undefined && { heartbeatMs: spec.heartbeat }),
});

const timeoutOf = ({ timeout }: TaskCommon, timeLimit: number | 'own'): { timeoutMs?: number } => {
  if (timeLimit === 'own') return {};
  const timeoutMs = Math.min(typeof timeout === 'number' ? timeout : Infinity, timeLimit);
  return timeoutMs === Infinity ? {} : { timeoutMs };
};

const transition = ({ next, with: overlay }: Transition): CompiledTransition => ({
  ...(next !== undefined && { next }),
  ...(overlay !== undefined && { with: compileTemplate(overlay) }),
});

const childrenOf = (lists: readonly ChildList[], path: string, inside: Surroundings): { list?: CompiledList; each?: CompiledTask } => {
  const once = lists.filter(({ visibility }) => visibility === 'children');
  const perItem = lists.find(({ visibility }) => visibility === 'items');
  return {
    ...(once.length > 0 && { list: compileList(once.flatMap(({ tasks }) => tasks), path, inside, once.every(({ order, isInline }) => order === 'sequence' && isInline !== true)) }),
    ...(perItem && { each: compileItem(perItem, `${path}[]`, inside) }),
  };
};

/** One task per item keeps its own type; several are wrapped into a composite. */
const compileItem = ({ tasks }: ChildList, path: string, inside: Surroundings): CompiledTask => {
  const [only] = tasks;
  const wrapped = { id: 'each', type: 'composite', tasks };
  return compileTask(tasks.length === 1 && only !== undefined ? only : wrapped, path, inside);
};

/** Everything that an executor evaluates, and what it refers to. */
const expressionsOf = (spec: TaskCommon): Pick<CompiledTask, 'references' | 'when' | 'with' | 'outputs' | 'key' | 'verify' | 'undo'> => {
  const compiled = {
    ...('with' in spec && spec.with !== undefined && { with: compileTemplate(spec.with as Json) }), // a schema checked it
    ...(spec.outputs && { outputs: compileTemplate(spec.outputs as Json) }),
    ...('key' in spec && typeof spec.key === 'string' && { key: compileExpression(spec.key) }),
    ...('verify' in spec && { verify: compileVerify(spec.verify as VerifySpec) }),
    ...(spec.undo && 'action' in spec.undo && { undo: compileCall(spec.undo) }),
  };
  const { key, verify, undo } = compiled;
  const used: (Expression | Template | undefined)[] = [compiled.with, compiled.outputs, key, verify?.with, verify?.found, undo?.with];
  const references = mergeReferences(used.flatMap((each) => (each === undefined ? [] : [each.references])));
  return { ...compiled, references, ...(spec.when !== undefined && { when: compileExpression(spec.when) }) };
};

interface CallSpec {
  readonly action: string;
  readonly with?: Json;
}
interface VerifySpec extends CallSpec {
  readonly found: string;
}

const compileCall = (call: CallSpec): { action: string; with?: Template } => ({
  action: call.action,
  ...(call.with !== undefined && { with: compileTemplate(call.with) }),
});
const compileVerify = (verify: VerifySpec): NonNullable<CompiledTask['verify']> => ({ ...compileCall(verify), found: compileExpression(verify.found) });

const routeTargets = (spec: TaskCommon): readonly string[] =>
  (taskTypes.definitionOf(spec.type).targets?.(spec) ?? []).filter(({ at }) => at[0] === 'routes' || at[0] === 'default').map(({ target }) => target);

const itemNames = (lists: readonly ChildList[]): { itemVar: string; indexVar?: string } => {
  const [itemVar = 'item', indexVar] = lists.find(({ visibility }) => visibility === 'items')?.variables ?? [];
  return { itemVar, ...(indexVar !== undefined && { indexVar }) };
};
