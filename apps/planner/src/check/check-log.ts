import { childRunView, compileDefinition, foldRun, type CompiledDefinition, type Definition } from '@foldwork/domain';
import { formatRunId, openEvent, parseJson, type DefinitionHash, type RecordedEvent, type RunId } from '@foldwork/events';
import { replayRun, type Difference } from './replay-run';

/** A log as it was recorded, wherever it is kept. */
export interface RecordedLog {
  /** Each run's events in log order, run after run. */
  runs(): AsyncIterable<readonly RecordedEvent[]>;
  run(runId: RunId): Promise<readonly RecordedEvent[]>;
  /** The JSON text behind a hash. */
  definition(namespace: string, hash: DefinitionHash): Promise<string | undefined>;
}

export interface RunDifference extends Omit<Difference, 'kind'> {
  readonly kind: Difference['kind'] | 'definition_missing' | 'definition_refused';
  /** `run_…`. */
  readonly runId: string;
  readonly workflow: string;
}

export interface CheckReport {
  readonly runs: number;
  readonly events: number;
  /** At most one per run: what comes after the first follows from it. */
  readonly differences: readonly RunDifference[];
}

/** Replays every run of a log through the present code. */
export const checkLog = async (log: RecordedLog): Promise<CheckReport> => {
  const differences: RunDifference[] = [];
  let [runs, events] = [0, 0];
  for await (const run of log.runs()) {
    runs += 1;
    events += run.length;
    const difference = await checkRun(log, run);
    if (difference !== undefined) differences.push(difference);
  }
  return { runs, events, differences };
};

const checkRun = async (log: RecordedLog, events: readonly RecordedEvent[]): Promise<RunDifference | undefined> => {
  const [first] = events;
  const opened = first && openEvent(first);
  if (first === undefined || opened?.type !== 'RunRequested') return undefined;
  const { workflow, definition: hash } = opened.data;
  const about = { runId: formatRunId(first.runId), workflow };
  const missing = { ...about, position: first.position, recorded: [`definition ${hash}`] };
  const body = await log.definition(first.namespace, hash);
  if (body === undefined) return { ...missing, kind: 'definition_missing', present: [] };
  const definition = compile(body, hash);
  if ('fault' in definition) return { ...missing, kind: 'definition_refused', present: [definition.fault] };
  const children = await childrenOf(log, events);
  const difference = replayRun({
    events, definition,
    childRun: (runId, before) => {
      const child = foldRun((children.get(runId) ?? []).filter(({ position }) => position < before));
      return child && childRunView(child);
    },
  });
  return difference && { ...about, ...difference };
};

const compile = (body: string, hash: DefinitionHash): CompiledDefinition | { readonly fault: string } => {
  try {
    return compileDefinition(parseJson(body) as unknown as Definition, hash); // it was checked before it was stored
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
};

const childrenOf = async (log: RecordedLog, events: readonly RecordedEvent[]): Promise<Map<RunId, readonly RecordedEvent[]>> => {
  const children = new Map<RunId, readonly RecordedEvent[]>();
  for (const event of events) {
    if (!event.data.includes('"childRun"')) continue;
    const { type, data } = openEvent(event);
    if (type === 'TaskTransitioned' && data.childRun !== undefined) children.set(data.childRun.runId, await log.run(data.childRun.runId));
  }
  return children;
};
