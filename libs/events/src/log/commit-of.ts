import type { NewEvent, PlacedEvent } from '../contracts';
import type { Commit } from './event-log.port';

export interface Appended {
  readonly events: readonly NewEvent[];
  /** Of the last of them; `undefined`: the log had them before. */
  readonly lastPosition?: number | undefined;
}

/** Under load one reading is cheaper than hints that carry everything. */
const TOLD_EVENTS_MAX = 8;
const TOLD_UNITS_MAX = 16 * 1024;

/** What listeners are told of a commit. */
export const commitOf = (lastPosition: number, appends: readonly Appended[]): Commit => {
  const decide = appends.some(({ events }) => events.some((event) => event.decide));
  const deciding = decide ? decidingOf(appends) : undefined;
  return { lastPosition, decide, ...(deciding && { deciding }) };
};

const decidingOf = (appends: readonly Appended[]): PlacedEvent[] | undefined => {
  if (appends.length > TOLD_EVENTS_MAX) return undefined;
  const deciding: PlacedEvent[] = [];
  let units = 0;
  for (const { events, lastPosition } of appends) {
    if (lastPosition === undefined) return undefined;
    const first = lastPosition - events.length + 1;
    events.forEach((event, index) => {
      if (!event.decide) return;
      units += event.data.length + event.metadata.length;
      deciding.push({ ...event, position: first + index });
    });
  }
  return deciding.length > TOLD_EVENTS_MAX || units > TOLD_UNITS_MAX ? undefined : deciding;
};
