import { assertNever } from '../assert-never';
import type { Strategy } from '../definition';
import { endedCount, type ChildCounts } from './child-counts';

export type StrategyOutcome = 'completed' | 'failed' | 'active' | 'pending';

/** What the counts of children make of their container; the first line of a strategy that holds wins. */
export const strategyOutcome = (strategy: Strategy, counts: ChildCounts): StrategyOutcome => {
  const { total, succeeded, failed, timedOut, active, pending } = counts;
  if (total === 0) return 'pending';
  const allEnded = endedCount(counts) === total;
  const otherwise = active > 0 ? 'active' : 'pending';
  switch (strategy) {
    case 'wait_all':
      if (succeeded === total) return 'completed';
      return active + pending === 0 && succeeded < total ? 'failed' : otherwise;
    case 'fail_fast':
      if (failed + timedOut > 0) return 'failed';
      return succeeded === total ? 'completed' : otherwise;
    case 'best_effort':
      return allEnded ? (succeeded > 0 ? 'completed' : 'failed') : otherwise;
    case 'race':
      if (succeeded > 0) return 'completed';
      return allEnded ? 'failed' : otherwise;
    default:
      return assertNever(strategy);
  }
};

/** Anything that is not one of the four is taken as `wait_all`. */
export const parseStrategy = (text: string | undefined): Strategy =>
  text === 'fail_fast' || text === 'best_effort' || text === 'race' ? text : 'wait_all';
