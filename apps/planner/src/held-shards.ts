import type { RunId } from '@foldwork/events';
import { shardOf } from './shard-share';

/**
 * The shards of one planner while they change hands. Those just gained are owned at once, so that their new events are
 * handled; they are settled when everything that the planners before left of them has been looked at. Only the position of
 * settled shards may be saved: whoever comes next begins there.
 */
export class HeldShards {
  private shards: readonly number[] = [];
  private past: readonly number[] = [];

  get owned(): readonly number[] {
    return this.shards;
  }

  get settled(): readonly number[] {
    return this.past;
  }

  readonly owns = (runId: RunId): boolean => this.shards.includes(shardOf(runId));

  /** Those that are new to us, and those that another planner had while we took them for ours. */
  gainedBy(shards: readonly number[], claimed: readonly number[]): readonly number[] {
    return shards.filter((shard) => !this.shards.includes(shard) || claimed.includes(shard));
  }

  /** Owns exactly these from now on; those among them that are new are not settled. */
  own(shards: readonly number[]): void {
    this.past = this.past.filter((shard) => shards.includes(shard));
    this.shards = shards;
  }

  settle(): void {
    this.past = this.shards;
  }

  /** Gives up what was not settled: the next attempt gains it again. */
  giveUp(): void {
    this.shards = this.past;
  }
}
