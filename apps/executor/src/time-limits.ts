import { ActionError } from '@foldwork/actions';

export interface TimeLimits {
  readonly timeoutMs: number;
  /** Longest silence; absent: silence is fine. */
  readonly heartbeatMs: number | undefined;
  /** Aborted from outside. */
  readonly signal: AbortSignal;
}

/** A longer timer rings at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Runs work under a time limit. Work that does not listen to the signal goes on in the dark; its result is dropped.
 * Rejects with `ATTEMPT_TIMEOUT`, `HEARTBEAT_TIMEOUT`, or the outside signal's reason.
 */
export const withLimits = async <T>(limits: TimeLimits, work: (signal: AbortSignal, heartbeat: () => void) => Promise<T>): Promise<T> => {
  limits.signal.throwIfAborted();
  const ending = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    ending.abort(reason);
    ended.reject(reason);
  };
  const onOutside = (): void => end(limits.signal.reason);
  limits.signal.addEventListener('abort', onOutside, { once: true });
  const timeout = setTimeout(() => end(new ActionError('ATTEMPT_TIMEOUT', `the attempt took longer than ${limits.timeoutMs} ms`)), Math.min(limits.timeoutMs, TIMER_MAX_MS));
  const silence = silenceTimer(limits.heartbeatMs, end);
  try {
    return await Promise.race([work(ending.signal, silence.restart), ended.promise]);
  } finally {
    clearTimeout(timeout);
    silence.stop();
    limits.signal.removeEventListener('abort', onOutside);
  }
};

const silenceTimer = (heartbeatMs: number | undefined, end: (reason: unknown) => void): { restart: () => void; stop: () => void } => {
  if (heartbeatMs === undefined) return { restart: () => undefined, stop: () => undefined };
  const timer = setTimeout(() => end(new ActionError('HEARTBEAT_TIMEOUT', `no sign of life for ${heartbeatMs} ms`)), Math.min(heartbeatMs, TIMER_MAX_MS));
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) };
};
