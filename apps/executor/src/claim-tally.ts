import type { ClaimOutcome } from './segment-runner';

/** What the command needs most, last: a segment that found no room must come again even if another found no action. */
const WEIGHT: readonly ClaimOutcome[] = ['settled', 'claimed', 'no_action', 'busy'];

/** Knows when the last segment of a command was claimed, or settled otherwise. Each segment counts once. */
export class ClaimTally {
  private worst = 0;

  constructor(
    private left: number,
    private readonly onAll: (worst: ClaimOutcome) => void,
  ) {
    if (left === 0) onAll('settled');
  }

  one(): (outcome: ClaimOutcome) => void {
    let isCounted = false;
    return (outcome) => {
      if (isCounted) return;
      isCounted = true;
      this.worst = Math.max(this.worst, WEIGHT.indexOf(outcome));
      this.left -= 1;
      if (this.left === 0) this.onAll(WEIGHT[this.worst] ?? outcome);
    };
  }
}
