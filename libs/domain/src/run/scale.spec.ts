import { longFoldMs, wideRunCost } from '@foldwork/testing';

/** The machine is shared: the best of some tries says what the code costs. */
const best = (tries: number, measure: () => number): number => Math.min(...Array.from({ length: tries }, measure));

it.each([false, true])('a child costs the same in a run of 1,000 and of 10,000 (several tasks each: %s)', (nested) => {
  const cost = (children: number): number => best(3, () => wideRunCost(children, nested).microsecondsPerChild);
  cost(1_000); // warm up
  const [hundred, thousand, tenThousand] = [cost(100), cost(1_000), cost(10_000)];
  process.stdout.write(`us per child at 100, 1,000, 10,000: ${[hundred, thousand, tenThousand].map((us) => us.toFixed(0)).join(', ')}\n`);
  expect(tenThousand).toBeLessThan(thousand * 2.5);
}, 120_000);

it('a history of 50,000 events of one run folds in under a second', () => {
  const ms = best(3, () => longFoldMs(50_000).ms);
  process.stdout.write(`fold of 50,000 events: ${ms.toFixed(0)} ms\n`);
  expect(ms).toBeLessThan(1_000);
}, 120_000);
