import type { Agenda, EventLog, EventMetadata, RecordedEvent, RunId } from '@foldwork/events';
import { admissible, admission, emptyLaneBook, foldLanes, foldRun } from '@foldwork/domain';

export interface LaneKeeperParts {
  readonly log: EventLog;
  readonly agenda: Agenda;
  readonly owns: (runId: RunId) => boolean;
  readonly metadata: EventMetadata;
  readonly now: () => number;
}

/** Lets runs into their lanes, in order. Every planner knows all lanes and admits the runs of its own shards. */
export class LaneKeeper {
  private readonly book = emptyLaneBook();
  private hasNews = false;

  constructor(private readonly parts: LaneKeeperParts) {}

  /** What the log says of runs that are in lanes now; events that come again later change nothing. */
  async start(): Promise<void> {
    const { agenda, log } = this.parts;
    for (const event of await log.readRuns(await agenda.inLanes())) foldLanes(this.book, event);
    this.hasNews = true;
  }

  /** Takes in an event of any run, in log order. */
  fold(event: RecordedEvent): void {
    if (event.task !== '' || (event.type === 'RunRequested' ? !event.data.includes('"lane":') : !this.book.places.has(event.runId))) return;
    foldLanes(this.book, event);
    this.hasNews = true;
  }

  /** Runs of other planners became ours: it may be the turn of one of them. */
  reconsider(): Promise<void> {
    this.hasNews = true;
    return this.admit();
  }

  /** Admits whoever's turn it is. Rejects with `LogUnavailable`; then the next call tries again. */
  async admit(): Promise<void> {
    if (!this.hasNews) return;
    this.hasNews = false;
    const ready = admissible(this.book).filter(({ runId }) => this.parts.owns(runId));
    try {
      await Promise.all(ready.map(({ runId }) => this.admitOne(runId)));
    } catch (error) {
      this.hasNews = true;
      throw error;
    }
  }

  /** A conflict means that the run has moved meanwhile; its events say how, and come here too. */
  private async admitOne(runId: RunId): Promise<void> {
    const { log, now, metadata } = this.parts;
    const run = foldRun(await log.readRuns([runId]));
    const event = run && admission(run, { now: now(), metadata });
    if (event !== undefined) await log.append([event]);
  }
}
