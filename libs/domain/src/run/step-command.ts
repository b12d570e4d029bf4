import { parentPath, type SegmentTask, type StepCommand, type TaskPath } from '@foldwork/events/contracts';
import { mergeReferences, type References } from '../expressions';
import { taskAt, type CompiledDefinition } from '../plan/compiled-definition';
import { packed } from './command-size';
import type { RunDecision } from './decide-run';
import type { RunState } from './run.state';
import { itemVariables, taskScope } from './task-scope';

/** So many segments travel in one command at most, so that several executors share a wide container. */
const SEGMENTS_MAX = 25;

type Decided = Pick<RunDecision, 'segments' | 'runVersion'>;

/** Packs segments into commands: those of one list share their variables. */
export const stepCommands = (run: RunState, definition: CompiledDefinition, { segments, runVersion }: Decided, epoch: string): StepCommand[] => {
  const byList = Map.groupBy(segments, ([first]) => `${parentPath(first?.path ?? ('' as TaskPath))}${first?.undo === true ? '!' : ''}`);
  const commands: StepCommand[] = [];
  for (const group of byList.values()) {
    const references = referencesOf(definition, group);
    const complete = group.map((segment) => segment.map((task) => withLocals(run, definition, task, references)));
    for (const part of packed(complete, SEGMENTS_MAX)) commands.push(command(run, definition, { segments: part, runVersion }, references, epoch));
  }
  return commands;
};

const referencesOf = (definition: CompiledDefinition, segments: readonly (readonly SegmentTask[])[]): References => {
  const specs = new Set(segments.flatMap((segment) => segment.map(({ path }) => taskAt(definition, path))));
  const ends = segments.some((segment) => segment.at(-1)?.endsRun !== undefined);
  return mergeReferences([...[...specs].map(({ references }) => references), ...(ends && definition.output ? [definition.output.references] : [])]);
};

const command = (run: RunState, definition: CompiledDefinition, { segments, runVersion }: Decided, references: References, epoch: string): StepCommand => {
  const first = segments[0]?.[0]?.path ?? ('' as TaskPath);
  const locals = localNames(run, definition, first);
  const scope = Object.fromEntries(Object.entries(taskScope(run, definition, first, references)).filter(([name]) => !locals.has(name)));
  return {
    runId: run.runId,
    runVersion,
    workflow: run.workflow,
    namespace: run.namespace,
    epoch,
    definition: run.definition,
    pool: 'default',
    ...(run.lineage?.traceparent !== undefined && { traceparent: run.lineage.traceparent }),
    scope,
    segments,
  };
};

/** Variables that each task has its own of; those of the definition the executor has itself. */
const localNames = (run: RunState, definition: CompiledDefinition, path: TaskPath): ReadonlySet<string> =>
  new Set(['task', 'env', ...Object.keys(itemVariables(run, definition, path))]);

const withLocals = (run: RunState, definition: CompiledDefinition, task: SegmentTask, references: References): SegmentTask => {
  const items = itemVariables(run, definition, task.path);
  const error = run.tasks.get(task.path)?.error;
  return {
    ...task,
    ...(Object.keys(items).length > 0 && { locals: items }),
    ...((references.variables.has('task') || task.verify !== undefined) && error !== undefined && { error }),
    ...(task.undo === true && { output: run.tasks.get(task.path)?.output ?? null }),
  };
};
