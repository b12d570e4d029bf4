import type { RunId } from '@foldwork/events';
import { HeldShards } from './held-shards';

const inShard = (shard: number): RunId => `0190a0a0-1111-7222-8333-44445555666${shard.toString(16)}` as RunId;

it('owns gained shards at once and settles them later; lost ones are neither', () => {
  const held = new HeldShards();
  held.own([1, 2]);
  held.settle();
  expect(held.gainedBy([2, 3], [])).toEqual([3]);
  held.own([2, 3]);
  expect([1, 2, 3].map((shard) => held.owns(inShard(shard)))).toEqual([false, true, true]);
  expect(held.settled).toEqual([2]);
  held.settle();
  expect(held.settled).toEqual([2, 3]);
});

it('gains anew what another planner had without our notice', () => {
  const held = new HeldShards();
  held.own([1, 2]);
  held.settle();
  expect(held.gainedBy([1, 2], [2])).toEqual([2]);
});

it('gives up what could not be settled, and gains it again', () => {
  const held = new HeldShards();
  held.own([1]);
  held.settle();
  held.own([1, 2]);
  held.giveUp();
  expect(held.owned).toEqual([1]);
  expect(held.gainedBy([1, 2], [])).toEqual([2]);
});
