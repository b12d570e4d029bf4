import { foldRun, type RunState } from '@foldwork/domain';
import type { EventLog, RecordedEvent, RunId } from '@foldwork/events';
import { formatRunId, parseRunId } from '@foldwork/events';
import { notFound, type Problem } from '@foldwork/platform/http';
import type { LogTail } from '../events/log-tail';

export interface LoadedRun {
  readonly run: RunState;
  /** All events the state contains, in log order. */
  readonly events: readonly RecordedEvent[];
}

/** Reads runs from the log, always within one namespace: a run of another one is as good as none. */
export class RunReader {
  constructor(private readonly log: EventLog, private readonly tail: LogTail) {}

  /** The run as it is now. Throws `run_not_found`; rejects with `LogUnavailable`. */
  async load(namespace: string, runId: RunId): Promise<LoadedRun> {
    const events = await this.log.readRuns([runId]);
    return loaded(namespace, runId, events);
  }

  /** The run as it was: after so many events, or at that time (milliseconds since 1970, the log's clock). */
  async loadAsOf(namespace: string, runId: RunId, asOf: AsOf): Promise<LoadedRun> {
    const events = await this.log.readRuns([runId]);
    loaded(namespace, runId, events);
    const then = 'version' in asOf ? events.slice(0, asOf.version) : events.filter(({ recordedAt }) => recordedAt <= asOf.at);
    const [first] = events;
    if (first !== undefined && then.length === 0) throw notFound('run_not_found', `There was no such run then; it was requested at ${new Date(first.recordedAt).toISOString()}.`, 'Choose a later asOf.');
    return loaded(namespace, runId, then);
  }

  /** Waits until the run has that many events, at most `timeoutMs`, and returns it as it is then. */
  async loadAtLeast(namespace: string, runId: RunId, version: number, timeoutMs: number): Promise<LoadedRun> {
    const now = await this.load(namespace, runId);
    return now.run.eventCount >= version ? now : this.awaitVersion(namespace, runId, version, timeoutMs);
  }

  private async awaitVersion(namespace: string, runId: RunId, version: number, timeoutMs: number): Promise<LoadedRun> {
    let news = Promise.withResolvers<void>();
    let expired = false;
    const expire = (): void => {
      expired = true;
      news.resolve();
    };
    const stop = await this.tail.listen(runId, { hear: () => news.resolve(), end: expire });
    const timer = setTimeout(expire, timeoutMs);
    try {
      for (;;) {
        news = Promise.withResolvers();
        const current = await this.load(namespace, runId);
        if (expired || current.run.eventCount >= version) return current;
        await news.promise;
      }
    } finally {
      clearTimeout(timer);
      stop();
    }
  }
}

export type AsOf = { readonly version: number } | { readonly at: number };

const loaded = (namespace: string, runId: RunId, events: readonly RecordedEvent[]): LoadedRun => {
  if (events[0]?.namespace !== namespace) throw runNotFound(formatRunId(runId));
  const run = foldRun(events);
  if (run === undefined) throw runNotFound(formatRunId(runId));
  return { run, events };
};

export const runNotFound = (shown: string): Problem =>
  notFound('run_not_found', `There is no run ${shown.slice(0, 100)} in this namespace.`, 'Check the id, and that the credentials are for the namespace of the run.');

/** The id in a path; a text that is none names no run. */
export const requireRunId = (text: string): RunId => {
  const runId = parseRunId(text);
  if (runId === undefined) throw runNotFound(text);
  return runId;
};
