import { ClaimTally } from './claim-tally';
import type { ClaimOutcome } from './segment-runner';

it.each<[ClaimOutcome[], ClaimOutcome]>([
  [['claimed', 'settled'], 'claimed'],
  [['no_action', 'claimed'], 'no_action'],
  [['busy', 'no_action', 'claimed'], 'busy'],
])('%j is answered as %s, when the last one is in', (outcomes, answer) => {
  const answers: ClaimOutcome[] = [];
  const tally = new ClaimTally(outcomes.length, (worst) => answers.push(worst));
  const counts = outcomes.map(() => tally.one());
  outcomes.forEach((outcome, index) => {
    expect(answers).toEqual([]);
    counts[index]?.(outcome);
    counts[index]?.(outcome); // a segment counts once
  });
  expect(answers).toEqual([answer]);
});

it('answers a command without segments at once', () => {
  const onAll = jest.fn();
  new ClaimTally(0, onAll);
  expect(onAll).toHaveBeenCalledWith('settled');
});
