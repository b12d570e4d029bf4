import { stringifyJson, type Bus, type Commit, type DecideHint, type EventLog } from '@foldwork/events';

/** Steps of a run follow each other within a millisecond; whoever only follows the log need not wake for each of them. */
const QUIET_MS = 10;

/**
 * Tells the others after commits of this process, so that they need not wait for their next poll: at once when there is
 * something to decide, gathered otherwise. Call it once per log. Returns the function that ends it.
 */
export const announceCommits = (log: EventLog, bus: Bus): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  let newest = 0;
  const tellFollowers = (): void => {
    clearTimeout(timer);
    timer = undefined;
    bus.hint('log', String(newest));
  };
  const stop = log.onCommit(({ lastPosition, decide, deciding }: Commit) => {
    newest = lastPosition;
    if (!decide) return void (timer ??= setTimeout(tellFollowers, QUIET_MS));
    const hint: DecideHint = { events: deciding ?? [] };
    bus.hint('decide', stringifyJson(hint));
    tellFollowers();
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
};
