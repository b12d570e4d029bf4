const FIRST_MS = 50;
const LAST_MS = 2_000;

/** 50 ms, doubling to 2 s, each times 0.5 to 1.5: a fleet that lost its server must not come back in step. */
export const jitteredDelayMs = (failures: number): number => {
  const base = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 10), LAST_MS);
  return base * (0.5 + Math.random());
};

/** Calls back after the delay without keeping the process alive; returns the way to call it off. */
export const afterDelay = (delayMs: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};
