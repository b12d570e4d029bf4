import fc from 'fast-check';
import { countChildren, endedCount, type ChildCounts } from './child-counts';
import { progressOf } from './branches';
import { parseStrategy, strategyOutcome } from './strategy';

const counts = fc
  .record({ succeeded: fc.nat(5), failed: fc.nat(5), timedOut: fc.nat(5), canceled: fc.nat(5), active: fc.nat(5), pending: fc.nat(5) })
  .map((some): ChildCounts => ({ ...some, total: some.succeeded + some.failed + some.timedOut + some.canceled + some.active + some.pending }));

/** The table of the design, line by line, as the first line that holds. */
const table = (strategy: string, { total: T, succeeded: S, failed: F, timedOut: O, canceled: C, active: R, pending: P }: ChildCounts): string => {
  if (T === 0) return 'pending';
  const otherwise = R > 0 ? 'active' : 'pending';
  if (strategy === 'fail_fast') return F + O > 0 ? 'failed' : S === T ? 'completed' : otherwise;
  if (strategy === 'best_effort') return S + F + O + C === T ? (S > 0 ? 'completed' : 'failed') : otherwise;
  if (strategy === 'race') return S > 0 ? 'completed' : F + O + C === T ? 'failed' : otherwise;
  return S === T ? 'completed' : R + P === 0 && F + O + C > 0 ? 'failed' : otherwise;
};

describe('[S3-22] what counts of children make of their container', () => {
  it.each(['wait_all', 'fail_fast', 'best_effort', 'race'] as const)('[S3-22] %s follows the table', (strategy) => {
    fc.assert(fc.property(counts, (some) => strategyOutcome(strategy, some) === table(strategy, some)), { numRuns: 2_000 });
  });
  it('[S3-22] an unknown strategy is wait_all; without children all is zero and pending', () => {
    expect([parseStrategy('whatever'), parseStrategy(undefined), parseStrategy('race')]).toEqual(['wait_all', 'wait_all', 'race']);
    const none = countChildren({} as never, { failed: 0, timedOut: 0 });
    expect([strategyOutcome('race', none), endedCount(none), progressOf(none)]).toEqual(['pending', 0, { total: 0, processed: 0, succeeded: 0, failed: 0 }]);
  });
});
