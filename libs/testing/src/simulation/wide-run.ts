/** What deciding costs without any I/O: one wide run, played by a planner and executors that do nothing else. */
import { newEvent, taskPath, type DomainEvent, type RecordedEvent, type RunId, type SegmentTask } from '@foldwork/events';
import { checkDefinition, compileDefinition, decideRun, definitionHash, foldEvent, foldRun, initialRun, stepCommands, type CompiledDefinition, type RunState } from '@foldwork/domain';

const RUN_ID = '019b76da-a800-7ad1-b9de-910513527b40' as RunId; // a constant of the benchmark
const SOURCE = { runId: RUN_ID, namespace: 'bench', metadata: { actor: 'bench' } };
const START = Date.UTC(2026, 0, 1);

export interface WideRunCost {
  readonly children: number;
  readonly microsecondsPerChild: number;
  readonly events: number;
}

const wideRun = (children: number, nested: boolean): CompiledDefinition => {
  const step = { id: 'one', type: 'basic', action: 'noop', with: { n: '${ item }' } };
  const each = nested ? [step, { ...step, id: 'two' }] : [step];
  const document = { workflow: 'wide', tasks: [{ id: 'all', type: 'collection', items: `1..${children}`, each }] };
  const { definition, diagnostics } = checkDefinition(document);
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics));
  return compileDefinition(definition, definitionHash(definition));
};

/** The log of one run, made by a planner that decides after every event and executors that do nothing. */
class WideRun {
  readonly log: RecordedEvent[] = [];
  private readonly run: RunState;
  private readonly work: (readonly SegmentTask[])[] = [];

  constructor(private readonly definition: CompiledDefinition) {
    const request = { workflow: 'wide', definition: definition.hash, input: {}, at: START, retry: { delayMs: 0, maximum: 0 } };
    this.run = initialRun({ runId: RUN_ID, task: taskPath(''), version: 1, namespace: 'bench' }, request);
    this.record(taskPath(''), 1, { type: 'RunRequested', data: request });
  }

  play(): RunState {
    this.decide();
    for (let segment = this.work.pop(); segment !== undefined; segment = this.work.pop()) this.perform(segment);
    return this.run;
  }

  private perform(segment: readonly SegmentTask[]): void {
    for (const { path, version, attempt } of segment) {
      const claim = { transition: 'begin', from: 'pending', to: 'in_progress', attempt, at: START, executor: 'bench#1' } as const;
      foldEvent(this.run, this.record(path, version + 1, { type: 'TaskTransitioned', data: claim }));
      const outcome = { transition: 'complete', from: 'in_progress', to: 'completed', attempt, at: START, executor: 'bench#1', output: { ok: true } } as const;
      foldEvent(this.run, this.record(path, version + 2, { type: 'TaskTransitioned', data: outcome }));
    }
    this.decide();
  }

  private decide(): void {
    const decision = decideRun(this.run, this.definition, { now: START, metadata: { actor: 'bench' }, quarantineMs: 0, isLost: () => false });
    for (const event of decision.events) this.log.push(recorded(event, this.log.length + 1));
    this.run.position = this.log.length;
    stepCommands(this.run, this.definition, decision, 'epoch');
    this.work.push(...decision.segments);
  }

  private record(task: SegmentTask['path'], version: number, event: DomainEvent): RecordedEvent {
    const made = recorded(newEvent(SOURCE, task, version, event, true), this.log.length + 1);
    this.log.push(made);
    return made;
  }
}

const recorded = (event: ReturnType<typeof newEvent>, position: number): RecordedEvent => ({ ...event, position, recordedAt: START, hash: '' });

export const wideRunCost = (children: number, nested = false): WideRunCost => {
  const played = new WideRun(wideRun(children, nested));
  const started = performance.now();
  const run = played.play();
  const elapsedMs = performance.now() - started;
  if (run.status !== 'succeeded') throw new Error(`the run is ${run.status}`);
  return { children, microsecondsPerChild: (elapsedMs * 1000) / children, events: played.log.length };
};

/** Milliseconds to fold a history of at least so many events of one run. */
export const longFoldMs = (events: number): { readonly events: number; readonly ms: number } => {
  const played = new WideRun(wideRun(10_000, true));
  played.play();
  const history = played.log.slice(0, events);
  const started = performance.now();
  foldRun(history);
  return { events: history.length, ms: performance.now() - started };
};
