import { rounded } from '../percentiles';
import type { Result } from '../measure';

/** Figures of the system over the limits of the machine, measured in the same run: what can be compared between machines. */
export const ratiosOf = (result: Result): Record<string, number> => {
  const of = (part: string, key: string): number => Number(result[part]?.[key] ?? Number.NaN);
  const commitMs = 1000 / of('limits', 'singleCommitsPerSecond');
  const ratios: Record<string, number> = {
    'W1 steps/s : grouped rows/s': of('W1', 'stepsPerSecond') / of('limits', 'groupedRowsPerSecond'),
    'W1 events/s : raw append events/s': (of('W1', 'stepsPerSecond') * of('W1', 'eventsPerStep')) / of('limits', 'appendEventsPerSecond'),
    'W1 steps/s : single commits/s on 8 connections': of('W1', 'stepsPerSecond') / of('limits', 'singleCommitsPerSecond8'),
    'W2 run p50 : 10 single commits': of('W2', 'runP50Ms') / (10 * commitMs),
    'W2 run p50 : 10 commits without an engine': of('W2', 'runP50Ms') / of('limits', 'bareRunP50Ms'),
    'W2 run p99 : 10 commits without an engine': of('W2', 'runP99Ms') / of('limits', 'bareRunP99Ms'),
    'W3 p50 : 10 single commits': of('W3', 'p50Ms') / (10 * commitMs),
    'W3 p50 : the same load without an engine': of('W3', 'p50Ms') / of('limits', 'bareLoadP50Ms'),
    'W3 p99 : the same load without an engine': of('W3', 'p99Ms') / of('limits', 'bareLoadP99Ms'),
    'W6 lateness p50 : one commit': of('W6', 'latenessP50Ms') / commitMs,
  };
  return Object.fromEntries(Object.entries(ratios).filter(([, ratio]) => Number.isFinite(ratio)).map(([name, ratio]) => [name, rounded(ratio, 3)]));
};

/** Adds them to the result and prints them. */
export const addRatios = (result: Result): void => {
  const ratios = ratiosOf(result);
  if (Object.keys(ratios).length === 0) return;
  result['ratios'] = ratios;
  console.log('ratios to the limits of this machine, measured in the same run');
  for (const [name, ratio] of Object.entries(ratios)) console.log(`  ${name.padEnd(50)} ${ratio}`);
};
