import { LRUCache } from 'lru-cache';
import type { EventLog, RecordedEvent, RunId } from '@foldwork/events';
import { foldEvent, foldRun, lookAtEverything, type RunState } from '@foldwork/domain';
import type { DefinitionCache } from '@foldwork/platform';
import { newEntry, type RunEntry } from './run-entry';

/** Recently used runs, folded; anything that is not here is folded anew from the log, many runs with one query. */
export class RunCache {
  private readonly entries: LRUCache<RunId, RunEntry>;

  constructor(
    private readonly log: EventLog,
    private readonly definitions: DefinitionCache,
    runsMax: number,
  ) {
    this.entries = new LRUCache({ max: runsMax });
  }

  get(runId: RunId): RunEntry | undefined {
    return this.entries.get(runId);
  }

  values(): Iterable<RunEntry> {
    return this.entries.values();
  }

  drop(runId: RunId): void {
    this.entries.delete(runId);
  }

  /** Takes in a run by its first event. */
  async open(event: RecordedEvent): Promise<RunEntry | undefined> {
    const run = foldEvent(undefined, event);
    return run === undefined ? undefined : this.keep(run);
  }

  /** The entries of the runs, as far as the log knows them; those not in memory are read with one query. */
  async load(runIds: readonly RunId[]): Promise<RunEntry[]> {
    const missing = runIds.filter((runId) => !this.entries.has(runId));
    const events = await this.log.readRuns(missing);
    const byRun = Map.groupBy(events, ({ runId }) => runId);
    for (const ofRun of byRun.values()) {
      const run = foldRun(ofRun);
      if (run === undefined) continue;
      lookAtEverything(run);
      await this.keep(run);
    }
    return runIds.flatMap((runId) => this.entries.get(runId) ?? []);
  }

  private async keep(run: RunState): Promise<RunEntry> {
    const definition = this.definitions.peek(run.definition) ?? (await this.definitions.get(run.namespace, run.definition));
    const entry = newEntry(run, definition);
    this.entries.set(run.runId, entry);
    return entry;
  }
}
