import { setTimeout as sleep } from 'node:timers/promises';
import { AppendBatchEncoder } from './append-batch-encoder';
import { checkedAppend, fastAppend, type Appends } from './append-batch.query';
import type { AppendConnection } from './append-connection';
import type { AppendOutcome, EventRefused, LogUnavailable } from './event-log.port';
import { failureKind, toEventRefused, toLogUnavailable } from './postgres-failure';
import type { Statement } from './rows-query';

export type Settlement = AppendOutcome | EventRefused | LogUnavailable;

export interface BatchResult {
  /** One per append. */
  readonly settlements: readonly Settlement[];
  /** Newest position the batch put or found, when it is known. */
  readonly lastPosition?: number;
}

/** Pauses before each re-send, about 2.5 s in all; the caller may try again after that. */
export const DEFAULT_RETRY_DELAYS_MS: readonly number[] = [10, 50, 150, 400, 800, 1_000];

/**
 * Brings one batch into the log, whatever happens on the way. Never rejects: every append gets its settlement, so that
 * half a batch that is committed stays acknowledged when the other half is not.
 */
export class AppendBatchWriter {
  constructor(
    private readonly connection: AppendConnection,
    private readonly encoder: AppendBatchEncoder,
    private readonly retryDelaysMs: readonly number[] = DEFAULT_RETRY_DELAYS_MS,
  ) {}

  /** A batch of which all but the sending is done: the function that is returned does that, once. */
  prepare(appends: Appends): () => Promise<BatchResult> {
    const statement = fastAppend.statement(new AppendBatchEncoder(), appends);
    return () => this.write(appends, statement);
  }

  async write(appends: Appends, prepared?: Statement): Promise<BatchResult> {
    let way = fastAppend;
    for (let attempt = 0; ; ) {
      try {
        const query = way; // what is made later is made of this one
        const statement = (): Statement => (query === fastAppend && prepared) || query.statement(this.encoder, appends);
        const answer = query.outcomes(await this.connection.queryValue(statement), appends);
        return { settlements: answer.outcomes, lastPosition: answer.lastPosition };
      } catch (error) {
        const kind = failureKind(error);
        const delayMs = this.retryDelaysMs[attempt];
        if (kind === 'occupied' && way === fastAppend) way = checkedAppend;
        else if (kind === 'refused') return this.bisect(appends, error);
        else if (kind === 'transient' && delayMs !== undefined) {
          // Unchanged and on a fresh connection: what the lost one may still commit answers `duplicate` here.
          attempt++;
          this.connection.reset();
          await sleep(delayMs);
        } else return this.giveUp(appends, error);
      }
    }
  }

  /** One value of the batch is at fault; its neighbours go through (invariant 6). */
  private async bisect(appends: Appends, error: unknown): Promise<BatchResult> {
    if (appends.length === 1) return { settlements: [toEventRefused(error)] };
    const middle = appends.length >> 1;
    const left = await this.write(appends.slice(0, middle));
    const right = await this.write(appends.slice(middle));
    const lastPosition = right.lastPosition ?? left.lastPosition;
    return { settlements: [...left.settlements, ...right.settlements], ...(lastPosition !== undefined && { lastPosition }) };
  }

  private giveUp(appends: Appends, error: unknown): BatchResult {
    this.connection.reset();
    const unavailable = toLogUnavailable(error);
    return { settlements: appends.map(() => unavailable) };
  }
}
