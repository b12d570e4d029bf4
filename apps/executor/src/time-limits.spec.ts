import { withLimits } from './time-limits';

const limits = (more: Partial<Parameters<typeof withLimits>[0]> = {}) => ({ timeoutMs: 1_000, heartbeatMs: undefined, signal: new AbortController().signal, ...more });
const never = (): Promise<never> => new Promise(() => undefined);

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

it('hands the result on, and a rejection too', async () => {
  await expect(withLimits(limits(), () => Promise.resolve(7))).resolves.toBe(7);
  await expect(withLimits(limits(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('ends work at the limit and aborts it', async () => {
  let aborted: unknown;
  const ended = withLimits(limits(), (signal) => { signal.addEventListener('abort', () => (aborted = signal.reason)); return never(); });
  const seen = expect(ended).rejects.toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
  jest.advanceTimersByTime(1_000);
  await seen;
  expect(aborted).toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
});

it('ends silent work, and leaves work alone that gives signs of life', async () => {
  const silent = expect(withLimits(limits({ heartbeatMs: 100 }), never)).rejects.toMatchObject({ code: 'HEARTBEAT_TIMEOUT' });
  jest.advanceTimersByTime(100);
  await silent;

  const done = Promise.withResolvers<string>();
  let beat: () => void = () => undefined;
  const lively = withLimits(limits({ heartbeatMs: 100 }), (_signal, heartbeat) => { beat = heartbeat; return done.promise; });
  for (let turn = 0; turn < 5; turn += 1) { jest.advanceTimersByTime(90); beat(); }
  done.resolve('alive');
  await expect(lively).resolves.toBe('alive');
});

it('ends with the reason of an abort from outside, at once if that was before', async () => {
  const outside = new AbortController();
  const ended = expect(withLimits(limits({ signal: outside.signal }), never)).rejects.toThrow('canceled');
  outside.abort(new Error('canceled'));
  await ended;
  const work = jest.fn(never);
  await expect(withLimits(limits({ signal: outside.signal }), work)).rejects.toThrow('canceled');
  expect(work).not.toHaveBeenCalled();
});

it('does not take a limit of a month for none', async () => {
  const month = 31 * 86_400_000;
  let isOver = false;
  const done = Promise.withResolvers<string>();
  const ended = withLimits(limits({ timeoutMs: month }), () => done.promise).finally(() => (isOver = true));
  await jest.advanceTimersByTimeAsync(60_000);
  expect(isOver).toBe(false);
  done.resolve('done');
  await ended;
});
