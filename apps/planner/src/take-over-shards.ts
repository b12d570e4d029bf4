import { BROADCAST_RUN, type Agenda, type EventLog, type RecordedEvent, type RunId } from '@foldwork/events';
import { isByPlanner } from './planner-decision';
import { shardOf } from './shard-share';

const BATCH_EVENTS_MAX = 1_000;

export interface TakeOverParts {
  readonly log: Pick<EventLog, 'readAfter'>;
  readonly agenda: Pick<Agenda, 'position' | 'inFlight'>;
  readonly look: (runIds: readonly RunId[]) => Promise<void>;
  readonly broadcast: (event: RecordedEvent) => Promise<void>;
}

/**
 * Looks at every run of these shards that the planners before left unread events, up to `until`, or work in flight of. What
 * they decided themselves counts: the appointments that follow from it may not be saved.
 */
export const takeOverShards = async (shards: readonly number[], until: number, { log, agenda, look, broadcast }: TakeOverParts): Promise<void> => {
  const isTheirs = (event: RecordedEvent): boolean => event.runId !== BROADCAST_RUN && shards.includes(shardOf(event.runId)) && (event.decide || isByPlanner(event));
  for (let from = await agenda.position(shards); from < until; ) {
    const events = await log.readAfter(from, BATCH_EVENTS_MAX);
    if (events.length === 0) break;
    await look([...new Set(events.filter(isTheirs).map(({ runId }) => runId))]);
    for (const event of events) if (event.runId === BROADCAST_RUN) await broadcast(event);
    from += events.length;
  }
  await look(await agenda.inFlight(shards));
};
