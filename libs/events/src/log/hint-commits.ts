import type { Bus } from '../bus/bus.port';
import type { EventLog } from './event-log.port';

/** Tells other processes of this process's commits: everybody who reads the log, and planners when they must decide. */
export const hintCommits = (log: EventLog, bus: Bus): (() => void) =>
  log.onCommit(({ lastPosition, decide }) => {
    const position = String(lastPosition);
    if (decide) bus.hint('decide', position);
    bus.hint('log', position);
  });
