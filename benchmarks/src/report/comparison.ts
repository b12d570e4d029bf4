import { rounded } from '../percentiles';
import type { Result } from '../measure';
import { GOALS, REFERENCE_LIMITS, type Goal } from './goals';

export interface ComparedFigure {
  readonly key: string;
  readonly now: number;
  readonly baseline?: number;
  /** As written, for the machine of `REFERENCE_LIMITS`. */
  readonly must: number;
  readonly aim: number;
  /** The same on this machine, by its limits in the same run; as written where they were not measured. */
  readonly mustHere: number;
  readonly aimHere: number;
  /** Which of the two it reaches here. */
  readonly verdict: 'aim' | 'must' | 'missed';
}

/** The figures that have a goal, beside those of the stored baseline. Figures that were not measured are left out. */
export const compare = (result: Result, baseline: Result | undefined): ComparedFigure[] =>
  GOALS.flatMap((goal) => {
    const now = figureOf(result, goal.key);
    const before = baseline && figureOf(baseline, goal.key);
    if (now === undefined) return [];
    const { key, must, aim } = goal;
    const here = { mustHere: scaled(goal, must, result), aimHere: scaled(goal, aim, result) };
    return [{ key, now, ...(before !== undefined && { baseline: before }), must, aim, ...here, verdict: verdictOf(goal, here, now) }];
  });

const scaled = ({ limit, better }: Goal, goal: number, result: Result): number => {
  const measured = limit && figureOf(result, `limits.${limit}`);
  if (limit === undefined || measured === undefined) return goal;
  const factor = measured / REFERENCE_LIMITS[limit];
  return rounded(better === 'more' ? goal * factor : goal / factor);
};

const figureOf = (result: Result, key: string): number | undefined => {
  const [part = '', name = ''] = key.split('.');
  const figure = result[part]?.[name];
  return typeof figure === 'number' ? figure : undefined;
};

const verdictOf = ({ better }: Goal, { mustHere, aimHere }: Pick<ComparedFigure, 'mustHere' | 'aimHere'>, now: number): ComparedFigure['verdict'] => {
  const reaches = (goal: number): boolean => (better === 'more' ? now >= goal : now <= goal);
  return reaches(aimHere) ? 'aim' : reaches(mustHere) ? 'must' : 'missed';
};

/** Lines of a table for people. */
export const comparisonLines = (figures: readonly ComparedFigure[]): string[] => [
  row('figure', 'now', 'baseline', 'must', 'here', 'aim', 'here', ''),
  ...figures.map(({ key, now, baseline, must, aim, mustHere, aimHere, verdict }) =>
    row(key, String(now), beside(now, baseline), String(must), String(mustHere), String(aim), String(aimHere), verdict)),
];

const beside = (now: number, baseline: number | undefined): string => {
  if (baseline === undefined) return '-';
  return baseline === 0 ? '0' : `${baseline} (${percent(now / baseline)})`;
};

const row = (...cells: readonly string[]): string => cells.map((cell, index) => cell.padEnd(index === 0 ? 28 : index === 2 ? 20 : 10)).join(' ').trimEnd();
const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${rounded((ratio - 1) * 100, 0)} %`;
