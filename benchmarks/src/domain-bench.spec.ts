import { longFoldMs, wideRunCost } from './domain.bench';

/** The machine is shared: the best of some tries says what the code costs. */
const best = (tries: number, measure: () => number): number => Math.min(...Array.from({ length: tries }, measure));

it.each([false, true])('a child costs the same in a run of 1,000 and of 10,000 (several tasks each: %s)', (nested) => {
  const [small, large] = [1_000, 10_000].map((children) => best(3, () => wideRunCost(children, nested).microsecondsPerChild));
  expect(large).toBeLessThan((small ?? 0) * 2.5);
}, 120_000);

it('a history of 50,000 events of one run folds in under a second', () => {
  expect(best(3, () => longFoldMs(50_000).ms)).toBeLessThan(1_000);
}, 120_000);
