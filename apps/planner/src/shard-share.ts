import type { Member, RunId } from '@foldwork/events';

/** The planners' work is cut into so many shards by the run's id; a planner cannot change it without a migration. */
export const SHARD_COUNT = 16;
export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);

/** The last digit of a UUID is random, so shards are even. */
export const shardOf = (runId: RunId): number => parseInt(runId.slice(-1), 16);

/**
 * The shards of one planner: every live planner computes the same division from the same list. While lists differ two
 * planners may work on a shard: the log's version check makes that harmless.
 */
export const shardsOf = (name: string, members: readonly Member[]): number[] => {
  const names = members.filter(({ alive, name: other }) => alive || other === name).map((member) => member.name).sort();
  const place = names.indexOf(name);
  return place < 0 ? [...ALL_SHARDS] : ALL_SHARDS.filter((shard) => shard % names.length === place);
};
