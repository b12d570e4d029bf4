/** Thrown for text that is no duration, and for negative, fractional or absurd numbers of milliseconds. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

const SECOND = 1000;
const UNITS: Readonly<Record<string, number>> = {
  ms: 1, millisecond: 1, milliseconds: 1,
  s: SECOND, sec: SECOND, secs: SECOND, second: SECOND, seconds: SECOND,
  m: 60 * SECOND, min: 60 * SECOND, mins: 60 * SECOND, minute: 60 * SECOND, minutes: 60 * SECOND,
  h: 3600 * SECOND, hour: 3600 * SECOND, hours: 3600 * SECOND,
  d: 86_400 * SECOND, day: 86_400 * SECOND, days: 86_400 * SECOND,
  w: 604_800 * SECOND, week: 604_800 * SECOND, weeks: 604_800 * SECOND,
};
/** Ten years: timers further away are mistakes. */
export const MAX_DURATION_MS = 10 * 365 * 86_400 * SECOND;

const PART = /\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]+)(?:\s*,|\s+and\b)?/y;

/** `1m30s`, `30 seconds`, `1 day 2 hours`, or a number of milliseconds → milliseconds. Throws `DurationError`. */
export const parseDuration = (value: string | number): number => {
  const ms = typeof value === 'number' ? value : sumOfParts(value);
  if (!Number.isInteger(ms) || ms < 0) throw new DurationError(`${JSON.stringify(value)} is not a whole number of milliseconds`);
  if (ms > MAX_DURATION_MS) throw new DurationError(`${JSON.stringify(value)} is longer than ten years`);
  return ms;
};

const sumOfParts = (text: string): number => {
  const given = text.trim().toLowerCase();
  let [sum, end] = [0, 0];
  while (end < given.length) {
    PART.lastIndex = end;
    const [matched, amount, unit] = PART.exec(given) ?? [];
    const factor = unit !== undefined && Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (matched === undefined || factor === undefined) throw notADuration(text);
    sum += Number(amount) * factor;
    end += matched.length;
  }
  if (end === 0) throw notADuration(text);
  return Math.round(sum * 1e6) / 1e6;
};

const notADuration = (text: string): DurationError =>
  new DurationError(`${JSON.stringify(text.slice(0, 40))} is not a duration such as 30s, 1m30s or "1 day 2 hours"`);
