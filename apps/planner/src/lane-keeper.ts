import { LogUnavailable, type Agenda, type EventLog, type EventMetadata, type RecordedEvent, type RunId } from '@foldwork/events';
import { admissible, admission, emptyLaneBook, foldLanes, foldRun, lacksRequest, leaveLane } from '@foldwork/domain';

export interface LaneKeeperParts {
  readonly log: EventLog;
  readonly agenda: Agenda;
  readonly owns: (runId: RunId) => boolean;
  readonly metadata: EventMetadata;
  readonly now: () => number;
  /** An event of it cannot be read: it is out of its lane, the others go on. */
  readonly onSetAside: (runId: RunId, error: unknown) => void;
}

/** Lets runs into their lanes, in order. Every planner knows all lanes and admits the runs of its own shards. */
export class LaneKeeper {
  private readonly book = emptyLaneBook();
  private hasNews = false;
  /** Of the last event that was taken in: one that comes again would put a run that came back at the end of its queue. */
  private position = 0;

  constructor(private readonly parts: LaneKeeperParts) {}

  /** What the log says up to that position of runs that are in lanes now; what follows comes in its order. */
  async start(position: number): Promise<void> {
    const { agenda, log } = this.parts;
    const events = await log.readRuns(await agenda.inLanes());
    await this.fold(events.filter((event) => event.position <= position));
    this.position = position;
    this.hasNews = true;
  }

  /** Takes in events of any runs, in log order. Rejects with `LogUnavailable`; they may then come again. */
  async fold(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) {
      if (event.position <= this.position) continue;
      if (this.concerns(event)) await this.guarded(event.runId, () => this.take(event));
      this.position = event.position;
    }
  }

  /** Runs of other planners became ours: it may be the turn of one of them. */
  reconsider(): Promise<void> {
    this.hasNews = true;
    return this.admit();
  }

  /** Admits whoever's turn it is. Rejects with `LogUnavailable`; then the next call tries again. */
  async admit(): Promise<void> {
    while (this.hasNews) {
      this.hasNews = false;
      const ready = admissible(this.book).filter(({ runId }) => this.parts.owns(runId));
      try {
        await Promise.all(ready.map(({ runId }) => this.guarded(runId, () => this.admitOne(runId))));
      } catch (error) {
        this.hasNews = true;
        throw error;
      }
    }
  }

  private concerns({ runId, task, type, data }: RecordedEvent): boolean {
    if (task !== '') return false;
    return type === 'RunRequested' ? data.includes('"lane":') : type === 'RunRetried' || this.book.places.has(runId);
  }

  private async take(event: RecordedEvent): Promise<void> {
    if (lacksRequest(this.book, event)) {
      const [request] = await this.parts.log.readRuns([event.runId]);
      if (request !== undefined) foldLanes(this.book, request);
    }
    foldLanes(this.book, event);
    this.hasNews = true;
  }

  /** A conflict means that the run has moved meanwhile; its events say how, and come here too. */
  private async admitOne(runId: RunId): Promise<void> {
    const { log, now, metadata } = this.parts;
    const run = foldRun(await log.readRuns([runId]));
    const event = run && admission(run, { now: now(), metadata });
    if (event !== undefined) await log.append([event]);
  }

  private async guarded(runId: RunId, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      leaveLane(this.book, runId);
      this.hasNews = true;
      this.parts.onSetAside(runId, error);
    }
  }
}
