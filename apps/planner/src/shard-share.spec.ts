import type { Member, RunId } from '@foldwork/events';
import { ALL_SHARDS, shardOf, shardsOf } from './shard-share';

const member = (name: string, alive = true): Member => ({ name, incarnation: 1, alive });

it.each([1, 2, 3, 7, 16, 20])('%i planners have every shard exactly once, whatever the order of the list', (count) => {
  const members = Array.from({ length: count }, (_, index) => member(`p${index}`));
  const shares = members.map(({ name }) => shardsOf(name, members.toReversed()));
  expect(shares.flat().toSorted((a, b) => a - b)).toEqual(ALL_SHARDS);
  const sizes = shares.map((share) => share.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
});

it('leaves out the dead, but never itself', () => {
  expect(shardsOf('a', [member('a'), member('b', false)])).toEqual(ALL_SHARDS);
  expect(shardsOf('b', [member('a'), member('b', false)])).toHaveLength(8);
  expect(shardsOf('new', [member('a')])).toEqual(ALL_SHARDS);
});

it('finds the shard in the last digit of the run', () => {
  expect(shardOf('0190a0a0-1111-7222-8333-44445555666f' as RunId)).toBe(15);
  expect(shardOf('0190a0a0-1111-7222-8333-444455556660' as RunId)).toBe(0);
});
