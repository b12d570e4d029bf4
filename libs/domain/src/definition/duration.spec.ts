import fc from 'fast-check';
import { DurationError, parseDuration } from './duration';

describe('parseDuration', () => {
  it.each([
    ['1m30s', 90_000], ['30 seconds', 30_000], ['1 day 2 hours', 93_600_000], ['500ms', 500], ['1.5h', 5_400_000], ['0s', 0], [250, 250], [0, 0],
    ['2 weeks', 1_209_600_000], ['1 Day', 86_400_000], ['1 hour, 30 minutes', 5_400_000], ['1 minute and 5 seconds', 65_000], [' 5 s ', 5000], ['0.001s', 1],
  ])('reads %p', (value, ms) => expect(parseDuration(value)).toBe(ms));

  it.each(['', ' ', 'soon', '30', '-5s', '5 fortnights', '1m 30', 's', '1..5s', '1e3s', '5s!', 'P1D', '1,5s', '0.0001s', '99999999999999 weeks', 'NaN s', 'constructor', '5 constructor', '9'.repeat(1000) + 's'])(
    'refuses %p', (value) => expect(() => parseDuration(value)).toThrow(DurationError),
  );
  it.each([-1, 1.5, NaN, Infinity, 1e15])('refuses the number %p', (value) => expect(() => parseDuration(value)).toThrow(DurationError));

  it('reads back what is written from parts, and never throws anything else', () => {
    const part = fc.nat({ max: 1000 });
    fc.assert(
      fc.property(part, part, part, part, (d, h, m, s) => {
        const ms = (((d * 24 + h) * 60 + m) * 60 + s) * 1000;
        expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toBe(ms);
        expect(parseDuration(`${d} days ${h} hours ${m} minutes ${s} seconds`)).toBe(ms);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseDuration(text)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof DurationError)) throw error;
        }
      }),
    );
  });
});
