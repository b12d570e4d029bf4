import type { AppendOutcome, EventLog, NewEvent } from '@foldwork/events';

/** So long before its moment what is held is made ready to be sent, */
export const READY_MS = 20;
/** if it is so many appends; fewer go as all others do, and share a statement with them. */
export const MANY = 100;

interface Held {
  readonly events: readonly NewEvent[];
  readonly isStale: () => boolean;
  readonly goOn: (outcome: Status | Promise<Status>) => void;
}

type Status = Pick<AppendOutcome, 'status'>;

/**
 * What was decided for a moment ahead is appended at that moment and never before: a thousand timers of one moment leave
 * together, as ready bytes. What became stale while it was held is not appended, which is as good as a conflict.
 */
export class HeldAppends {
  /** By moment. */
  private readonly held = new Map<number, Held[]>();

  constructor(
    private readonly log: EventLog,
    private readonly now: () => number,
  ) {}

  /** Resolves not before the moment, also if there is nothing to append. */
  append(at: number, events: readonly NewEvent[], isStale: () => boolean): Promise<Status> {
    return new Promise((goOn) => {
      const one = { events, isStale, goOn };
      const together = this.held.get(at);
      if (together !== undefined) return void together.push(one);
      const first = [one];
      this.held.set(at, first);
      void this.release(at, first);
    });
  }

  private async release(at: number, held: readonly Held[]): Promise<void> {
    await this.waitUntil(at - READY_MS);
    const ready = held.length < MANY ? [] : held.filter(({ events }) => events.length > 0);
    const send = this.log.prepare(ready.map(({ events }) => events));
    await this.waitUntil(at);
    this.held.delete(at);
    const sent = new Set(ready.some(({ isStale }) => isStale()) ? [] : ready);
    const outcomes = sent.size > 0 ? send() : [];
    await Promise.resolve(); // the bytes leave before anything else is done
    outcomes.forEach((outcome, index) => ready[index]?.goOn(outcome));
    for (const one of held) if (!sent.has(one)) one.goOn(this.appendNow(one));
  }

  private appendNow({ events, isStale }: Held): Status | Promise<Status> {
    if (isStale()) return { status: 'conflict' };
    return events.length === 0 ? { status: 'ok' } : this.log.append(events);
  }

  /** A timer may be a little early by the wall clock; an append never is. */
  private async waitUntil(at: number): Promise<void> {
    for (let leftMs = at - this.now(); leftMs > 0; leftMs = at - this.now()) await new Promise((wake) => setTimeout(wake, leftMs));
  }
}
