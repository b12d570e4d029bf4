import { compare, comparisonLines } from './comparison';

describe('comparison with the baseline', () => {
  const figuresOf = (stepsPerSecond: number, runP50Ms: number) => ({ W1: { stepsPerSecond }, W2: { runP50Ms } });

  it('puts each figure that has a goal beside the baseline and says what it reaches', () => {
    const compared = compare(figuresOf(17_500, 9.5), figuresOf(14_000, 8));
    expect(compared.map(({ key, now, baseline, verdict }) => [key, now, baseline, verdict])).toEqual([
      ['W1.stepsPerSecond', 17_500, 14_000, 'aim'],
      ['W2.runP50Ms', 9.5, 8, 'missed'],
    ]);
  });

  it('reaches a limit that is met exactly', () => {
    expect(compare(figuresOf(8_000, 9), undefined).map(({ verdict }) => verdict)).toEqual(['must', 'must']);
  });

  it('takes a goal by what the machine could do in the same run', () => {
    const limits = { singleCommitsPerSecond: 4_277 / 2, groupedRowsPerSecond: 86_000 * 2 };
    const compared = compare({ ...figuresOf(14_000, 13), limits }, undefined);
    expect(compared.map(({ must, mustHere, aimHere, verdict }) => [must, mustHere, aimHere, verdict])).toEqual([
      [8_000, 16_000, 34_000, 'missed'],
      [9, 18, 12, 'must'],
    ]);
  });

  it('leaves out what was not measured, and shows the change against the baseline', () => {
    const lines = comparisonLines(compare({ W1: { stepsPerSecond: 10_000 } }, figuresOf(8_000, 8)));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('8000 (+25 %)');
  });
});
