import type { RecordedEvent } from '../contracts';
import { eventHash, GENESIS_HASH } from './event-hash';
import type { EventLog } from './event-log.port';
import { streamKey } from './stream-key';

export interface LogFault {
  readonly kind: 'gap' | 'version' | 'hash';
  readonly position: number;
  readonly runId?: string;
  readonly task?: string;
  readonly expected: string;
  readonly found: string;
}

export interface LogVerification {
  /** Events whose hash was computed again. */
  readonly checked: number;
  /** Position of the last event looked at. */
  readonly upTo: number;
  /** The first ones, in order of position; empty: the range is intact. */
  readonly faults: readonly LogFault[];
}

export interface VerifyLogOptions {
  /** Verify events with `position > after`; default 0. */
  readonly after?: number;
  /** Up to this position; default the head. */
  readonly upTo?: number;
  readonly faultsMax?: number;
  /** Streams whose last hash is remembered; older ones are read from the log again. */
  readonly streamsMax?: number;
  readonly batchEventsMax?: number;
  readonly onProgress?: (position: number) => void;
}

/** Computes every hash of a range again and follows the chain of each stream: finds changed, removed and added events. */
export const verifyLog = async (log: EventLog, options: VerifyLogOptions = {}): Promise<LogVerification> => {
  const upTo = options.upTo ?? (await log.head());
  const verifier = new ChainVerifier(log, options);
  let position = options.after ?? 0;
  while (position < upTo && !verifier.hasEnoughFaults) {
    const batch = await log.readAfter(position, Math.min(options.batchEventsMax ?? 1_000, upTo - position));
    if (batch.length === 0) {
      verifier.report({ kind: 'gap', position: position + 1, expected: `events up to ${upTo}`, found: `the log ends at ${position}` });
      break;
    }
    for (const event of batch) {
      if (event.position > upTo || verifier.hasEnoughFaults) break;
      await verifier.check(event, position + 1);
      position = event.position;
    }
    options.onProgress?.(position);
  }
  return { checked: verifier.checked, upTo: position, faults: verifier.faults };
};

interface StreamHead {
  readonly version: number;
  readonly hash: string;
}

const GENESIS: StreamHead = { version: 0, hash: GENESIS_HASH };

class ChainVerifier {
  readonly faults: LogFault[] = [];
  checked = 0;
  private readonly heads = new Map<string, StreamHead>();

  constructor(
    private readonly log: EventLog,
    private readonly options: VerifyLogOptions,
  ) {}

  get hasEnoughFaults(): boolean {
    return this.faults.length >= (this.options.faultsMax ?? 20);
  }

  report(fault: LogFault): void {
    this.faults.push(fault);
  }

  async check(event: RecordedEvent, expectedPosition: number): Promise<void> {
    const { position, runId, task, version } = event;
    if (position !== expectedPosition) this.report({ kind: 'gap', position, expected: String(expectedPosition), found: String(position) });
    const previous = await this.headBefore(event);
    if (version !== previous.version + 1)
      this.report({ kind: 'version', position, runId, task, expected: String(previous.version + 1), found: String(version) });
    const expected = eventHash(previous.hash, event);
    if (expected !== event.hash) this.report({ kind: 'hash', position, runId, task, expected, found: event.hash });
    this.remember(streamKey(event), { version, hash: event.hash });
    this.checked++;
  }

  /** From memory, or from the log when the stream began before the range or was forgotten. */
  private async headBefore(event: RecordedEvent): Promise<StreamHead> {
    const known = this.heads.get(streamKey(event));
    if (known) return known;
    if (event.version === 1) return GENESIS;
    const earlier = await this.log.readRuns([event.runId]);
    return earlier.findLast(({ task, position }) => task === event.task && position < event.position) ?? GENESIS;
  }

  /** Oldest out first; a stream in use is put back at the end. */
  private remember(key: string, head: StreamHead): void {
    this.heads.delete(key);
    this.heads.set(key, head);
    const [oldest] = this.heads.keys();
    if (this.heads.size > (this.options.streamsMax ?? 100_000) && oldest !== undefined) this.heads.delete(oldest);
  }
}
