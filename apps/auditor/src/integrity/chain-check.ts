import { eventHash, GENESIS_HASH, type RecordedEvent } from '@foldwork/events';
import type { IntegrityProblem } from './integrity-problem';
import type { ChainLink } from './stream-links.query';

const STREAMS_MAX = 200_000;

/** Recomputes each event's hash from its content and its predecessor's hash. Memory: one hash per recent stream. */
export class ChainCheck {
  private readonly newest = new Map<string, { readonly version: number; readonly hash: string }>();

  /** `links`: looks up the hash of earlier events of streams that are not in memory any more. */
  constructor(private readonly links: (places: readonly ChainLink[]) => Promise<ReadonlyMap<string, string>>) {}

  async check(events: readonly RecordedEvent[]): Promise<IntegrityProblem[]> {
    const earlier = await this.links(this.forgotten(events));
    return events.flatMap((event) => this.checkOne(event, earlier));
  }

  private checkOne(event: RecordedEvent, earlier: ReadonlyMap<string, string>): IntegrityProblem[] {
    const key = streamKey(event);
    const previous = this.previousHash(event, key, earlier);
    this.remember(key, event);
    const { position, runId, task, version } = event;
    const place = { position, runId, task, version };
    if (previous === undefined) return [{ kind: 'version_missing', place }];
    return eventHash(previous, event) === event.hash ? [] : [{ kind: 'hash_wrong', place }];
  }

  private previousHash(event: RecordedEvent, key: string, earlier: ReadonlyMap<string, string>): string | undefined {
    if (event.version === 1) return GENESIS_HASH;
    const newest = this.newest.get(key);
    return newest?.version === event.version - 1 ? newest.hash : earlier.get(linkKey(event));
  }

  private forgotten(events: readonly RecordedEvent[]): ChainLink[] {
    const seen = new Set<string>();
    return events.filter((event) => {
      const key = streamKey(event);
      const isFirst = !seen.has(key);
      seen.add(key);
      return isFirst && event.version > 1 && this.newest.get(key)?.version !== event.version - 1;
    });
  }

  private remember(key: string, { version, hash }: RecordedEvent): void {
    this.newest.delete(key);
    this.newest.set(key, { version, hash });
    if (this.newest.size <= STREAMS_MAX) return;
    const oldest = this.newest.keys().next().value;
    if (oldest !== undefined) this.newest.delete(oldest);
  }
}

const streamKey = ({ runId, task }: ChainLink): string => `${runId}/${task}`;
/** Of the event that stands before this one in its stream. */
export const linkKey = ({ runId, task, version }: ChainLink): string => `${runId}/${task}/${version}`;
