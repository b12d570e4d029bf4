import { rounded } from '../percentiles';
import type { Result } from '../measure';
import { GOALS, type Goal } from './goals';

export interface ComparedFigure {
  readonly key: string;
  readonly now: number;
  readonly baseline?: number;
  readonly must: number;
  readonly aim: number;
  /** Which of the two it reaches. */
  readonly verdict: 'aim' | 'must' | 'missed';
}

/** The figures that have a goal, beside those of the stored baseline. Figures that were not measured are left out. */
export const compare = (result: Result, baseline: Result | undefined): ComparedFigure[] =>
  GOALS.flatMap((goal) => {
    const now = figureOf(result, goal.key);
    const before = baseline && figureOf(baseline, goal.key);
    if (now === undefined) return [];
    return [{ key: goal.key, now, ...(before !== undefined && { baseline: before }), must: goal.must, aim: goal.aim, verdict: verdictOf(goal, now) }];
  });

const figureOf = (result: Result, key: string): number | undefined => {
  const [part = '', name = ''] = key.split('.');
  const figure = result[part]?.[name];
  return typeof figure === 'number' ? figure : undefined;
};

const verdictOf = ({ better, must, aim }: Goal, now: number): ComparedFigure['verdict'] => {
  const reaches = (limit: number): boolean => (better === 'more' ? now >= limit : now <= limit);
  return reaches(aim) ? 'aim' : reaches(must) ? 'must' : 'missed';
};

/** Lines of a table for people. */
export const comparisonLines = (figures: readonly ComparedFigure[]): string[] => [
  row('figure', 'now', 'baseline', 'must', 'aim', ''),
  ...figures.map(({ key, now, baseline, must, aim, verdict }) =>
    row(key, String(now), beside(now, baseline), String(must), String(aim), verdict)),
];

const beside = (now: number, baseline: number | undefined): string => {
  if (baseline === undefined) return '-';
  return baseline === 0 ? '0' : `${baseline} (${percent(now / baseline)})`;
};

const row = (...cells: readonly string[]): string => cells.map((cell, index) => cell.padEnd(index === 0 ? 28 : index === 2 ? 20 : 10)).join(' ').trimEnd();
const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${rounded((ratio - 1) * 100, 0)} %`;
