import { parseJson, type DecideHint, type PlacedEvent, type RunId } from '@foldwork/events';

export interface DecideHintsParts {
  readonly owns: (runId: RunId) => boolean;
  /** Up to where the log has been read. */
  readonly position: () => number;
  /** Deals with events before the log is read that far; `undefined`: they have to wait for their turn. */
  readonly hear: (events: readonly PlacedEvent[]) => Promise<void> | undefined;
  /** Sees to it that trouble with these runs is made good. */
  readonly attempt: (work: Promise<void>, runIds: readonly RunId[]) => void;
  readonly readLog: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** After events that were dealt with when they were heard of, the log is read no later than this. */
const READ_WITHIN_MS = 50;

/** What a planner does when it is told that the log has grown. What a hint says is in the log; it only comes here sooner. */
export class DecideHints {
  private reading: NodeJS.Timeout | undefined;

  constructor(private readonly parts: DecideHintsParts) {}

  /** One that is none is as good as an empty one. */
  take(payload: string): void {
    try {
      this.act(eventsOf(payload));
    } catch (error) {
      this.parts.onTrouble(error);
      this.parts.readLog();
    }
  }

  close(): void {
    clearTimeout(this.reading);
  }

  private act(told: readonly PlacedEvent[]): void {
    const { owns, position, hear, attempt, readLog } = this.parts;
    const events = told.filter((event) => event.position > position());
    if (events.length === 0 && told.length > 0) return;
    const work = events.every(({ runId }) => owns(runId)) ? hear(events) : undefined;
    if (work === undefined) return readLog();
    attempt(work, events.map(({ runId }) => runId));
    this.reading ??= setTimeout(() => {
      this.reading = undefined;
      readLog();
    }, READ_WITHIN_MS);
  }
}

/** None: the log has to be read. */
const eventsOf = (payload: string): readonly PlacedEvent[] => (parseJson(payload) as unknown as DecideHint).events; // made by a service of this system
