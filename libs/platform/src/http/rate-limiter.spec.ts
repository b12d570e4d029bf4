import { RateLimiter } from './rate-limiter';

describe('RateLimiter', () => {
  let now = 0;
  const limiter = (perSecond: number) => new RateLimiter(perSecond, () => now);
  beforeEach(() => {
    now = 0;
  });

  it('lets a burst of one second\'s worth pass, then as many as come back with time', () => {
    const five = limiter(5);
    expect(Array.from({ length: 6 }, () => five.take('a'))).toEqual([0, 0, 0, 0, 0, 1]);
    now = 199;
    expect(five.take('a')).toBe(1);
    now = 401;
    expect([five.take('a'), five.take('a'), five.take('a')]).toEqual([0, 0, 1]);
  });

  it('never saves up more than one second\'s worth', () => {
    const two = limiter(2);
    two.take('a');
    now = 60_000;
    expect([two.take('a'), two.take('a'), two.take('a')]).toEqual([0, 0, 1]);
  });

  it('forgets what is given back, and saves nothing up by it', () => {
    const two = limiter(2);
    two.giveBack('a');
    expect([two.take('a'), two.take('a'), two.take('a')]).toEqual([0, 0, 1]);
    two.giveBack('a');
    expect([two.take('a'), two.take('a')]).toEqual([0, 1]);
    for (let times = 0; times < 5; times += 1) two.giveBack('a');
    expect([two.take('a'), two.take('a'), two.take('a')]).toEqual([0, 0, 1]);
  });

  it('counts each key for itself, and nobody with limit 0', () => {
    const one = limiter(1);
    expect([one.take('a'), one.take('b'), one.take('a')]).toEqual([0, 0, 1]);
    const none = limiter(0);
    expect(Array.from({ length: 100 }, () => none.take('a')).every((wait) => wait === 0)).toBe(true);
  });
});
