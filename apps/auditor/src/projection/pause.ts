/**
 * How long the projection rests after a batch, in milliseconds. A round costs about a millisecond of CPU however few
 * events it brings, and competes with the step that is running; few, larger batches also touch each run's row less
 * often. A lone event shows at once, since the rest comes after it. Full batches: no rest, there is a backlog.
 */
export const pauseAfter = (events: number, isFull: boolean): number => {
  if (isFull) return 0;
  if (events < 10) return 20;
  return events < 200 ? 50 : 80;
};
