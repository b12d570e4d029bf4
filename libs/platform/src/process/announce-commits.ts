import type { Bus, EventLog } from '@foldwork/events';

/**
 * Tells the others after each commit of this process, so that they need not wait for their next poll; planners only when
 * there is something to decide. Call it once per log. Returns the function that ends it.
 */
export const announceCommits = (log: EventLog, bus: Bus): (() => void) =>
  log.onCommit(({ lastPosition, decide }) => {
    bus.hint('log', String(lastPosition));
    if (decide) bus.hint('decide', String(lastPosition));
  });
