import { LRUCache } from 'lru-cache';
import type { EventLog, PlacedEvent, RunId } from '@foldwork/events';
import { foldEvent, foldRun, lookAtEverything, type CompiledDefinition, type RunState } from '@foldwork/domain';
import type { DefinitionCache } from '@foldwork/platform';
import { RunEntry } from './run-entry';

/**
 * Recently used runs, folded; anything that is not here is folded anew from the log, many runs with one query. Invariants:
 *  1. a run that `isLoading` may get events that its reading does not have; whoever sees them waits for `load` and folds
 *     them afterwards;
 *  2. a run that is being decided stays, however many others come: a second state of it would be decided beside the first.
 */
export class RunCache {
  private readonly entries: LRUCache<RunId, RunEntry>;
  private readonly deciding = new Map<RunId, RunEntry>();
  private readonly loading = new Map<RunId, Promise<RunEntry | undefined>>();

  constructor(
    private readonly log: EventLog,
    private readonly definitions: DefinitionCache,
    runsMax: number,
  ) {
    this.entries = new LRUCache({ max: runsMax });
  }

  get(runId: RunId): RunEntry | undefined {
    return this.entries.get(runId) ?? this.deciding.get(runId);
  }

  isLoading(runId: RunId): boolean {
    return this.loading.has(runId);
  }

  values(): Iterable<RunEntry> {
    return new Set([...this.entries.values(), ...this.deciding.values()]);
  }

  drop(runId: RunId): void {
    this.entries.delete(runId);
    this.deciding.delete(runId);
  }

  /** It is being decided from now on; one that was dropped meanwhile does not come back by that. */
  hold(entry: RunEntry): void {
    if (this.get(entry.runId) === entry) this.deciding.set(entry.runId, entry);
  }

  letGo(entry: RunEntry): void {
    if (this.deciding.get(entry.runId) !== entry) return;
    this.deciding.delete(entry.runId);
    this.entries.set(entry.runId, entry);
  }

  /** Takes in a run by its first event. */
  async open(event: PlacedEvent): Promise<RunEntry | undefined> {
    const run = foldEvent(undefined, event);
    return run === undefined ? undefined : this.keepWithDefinition(run);
  }

  /** The same at once; `undefined` when its definition would have to be read first. */
  openAtOnce(event: PlacedEvent): RunEntry | undefined {
    const run = foldEvent(undefined, event);
    const definition = run && this.definitions.peek(run.definition);
    return run && definition && this.keep(run, definition);
  }

  /** The runs as far as the log knows them; those not in memory are read with one query. Rejects if one of them cannot be folded. */
  async load(runIds: readonly RunId[]): Promise<Map<RunId, RunEntry>> {
    const missing = runIds.filter((runId) => this.get(runId) === undefined && !this.loading.has(runId));
    if (missing.length > 0) this.beginReading(missing);
    const found = await Promise.all(runIds.map(async (runId) => this.get(runId) ?? this.loading.get(runId)));
    return new Map(found.flatMap((entry) => (entry === undefined ? [] : [[entry.runId, entry] as const])));
  }

  private beginReading(runIds: readonly RunId[]): void {
    const reading = this.read(runIds);
    for (const runId of runIds) {
      const one = reading.then((entries) => entries.get(runId)).finally(() => this.loading.delete(runId));
      one.catch(() => undefined); // whoever loads gets the rejection
      this.loading.set(runId, one);
    }
  }

  private async read(runIds: readonly RunId[]): Promise<Map<RunId, RunEntry>> {
    const byRun = Map.groupBy(await this.log.readRuns(runIds), ({ runId }) => runId);
    const entries = new Map<RunId, RunEntry>();
    for (const [runId, ofRun] of byRun) {
      const run = foldRun(ofRun);
      if (run === undefined) continue;
      lookAtEverything(run);
      entries.set(runId, await this.keepWithDefinition(run));
    }
    return entries;
  }

  private async keepWithDefinition(run: RunState): Promise<RunEntry> {
    return this.keep(run, this.definitions.peek(run.definition) ?? (await this.definitions.get(run.namespace, run.definition)));
  }

  private keep(run: RunState, definition: CompiledDefinition): RunEntry {
    const entry = new RunEntry(run, definition);
    this.entries.set(run.runId, entry);
    return entry;
  }
}
