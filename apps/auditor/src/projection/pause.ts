/**
 * How long the projection rests after a batch, in milliseconds. A few events: soon again, people are reading their own
 * writes. Many: a longer rest makes batches larger and touches each run's row less often. Full batches: none.
 */
export const pauseAfter = (events: number, isFull: boolean): number => {
  if (isFull) return 0;
  if (events < 20) return 5;
  return events < 200 ? 20 : 80;
};
