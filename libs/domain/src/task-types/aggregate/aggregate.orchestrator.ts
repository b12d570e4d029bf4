import { ExactNumber, type FailureDetail, type Json, type JsonObject } from '@foldwork/events/contracts';
import { compileTemplate, ExpressionError } from '../../expressions';
import type { Directive, Orchestrator, TaskTypeModule, TaskView } from '../orchestrator';
import { aggregateTaskType, type AggregateTask, type Sources } from './aggregate.definition';

/** Puts earlier results together; evaluated by the engine itself, without any side effect. */
const aggregateV1: Orchestrator = {
  type: 'aggregate',
  version: 1,
  begin: (view) => {
    const { merge, concat } = view.spec.spec as AggregateTask; // the registry hands a type its own specs
    if (merge !== undefined) return [mergeMaps(sourcesOf(view, merge.sources), merge.conflict ?? 'last')];
    if (concat !== undefined) return [{ kind: 'complete', output: concatLists(sourcesOf(view, concat.sources)) }];
    // `outputs` of any task replaces its result, so there is nothing left to do.
    return [{ kind: 'complete', output: {} }];
  },
};

const sourcesOf = (view: TaskView, sources: Sources): Json[] => {
  const value = view.evaluate(compileTemplate(sources as Json));
  if (!Array.isArray(value)) throw new ExpressionError('expression_type', 'the sources of an aggregate must be a list');
  return value;
};

const mergeMaps = (sources: readonly Json[], conflict: 'first' | 'last' | 'error'): Directive => {
  const all = new Map<string, Json>();
  for (const [index, source] of sources.entries()) {
    if (source === null) continue;
    if (!isMap(source)) throw new ExpressionError('expression_type', `source ${index} of a merge is no map`);
    for (const [key, value] of Object.entries(source)) {
      if (all.has(key) && conflict === 'error') return { kind: 'fail', error: conflictOf(key) };
      if (!all.has(key) || conflict === 'last') all.set(key, value);
    }
  }
  return { kind: 'complete', output: Object.fromEntries(all) };
};

const conflictOf = (key: string): FailureDetail => ({ code: 'MERGE_CONFLICT', message: `two sources have the key "${key}"` });

/** A source that is no list counts as one member. */
const concatLists = (sources: readonly Json[]): Json[] => sources.flatMap((source) => (source === null ? [] : source));

const isMap = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

export const aggregate: TaskTypeModule = {
  definition: aggregateTaskType as TaskTypeModule['definition'],
  worker: 'engine',
  timeLimit: 30_000,
  orchestrators: [aggregateV1],
};
