import type { Logger } from '../logging/logger';

export interface Running {
  readonly logger: Logger;
  /** Finishes what is in flight and gives everything back. */
  readonly close: () => Promise<void>;
  readonly timeoutMs: number;
}

/**
 * Starts a process and keeps it until it is told to stop: SIGTERM or SIGINT closes it in order, a second signal or the
 * time limit ends it at once. A fault at start is one message and exit code 1, never a stack trace. Code that ends the
 * process by itself, as an action may, is at least named for what it did.
 */
export const runUntilStopped = async (start: () => Promise<Running>): Promise<void> => {
  const running = await start().catch((error: unknown) => {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  });
  let ending = false;
  const stop = (signal: string): void => {
    if (ending) process.exit(1);
    ending = true;
    running.logger.info({ event: 'stopping', signal });
    void closeInTime(running).then((code) => process.exit(code));
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('exit', (code) => {
    if (!ending) running.logger.fatal({ event: 'exited', code }, 'the process ends without having been told to: process.exit was called, by an action unless a line before this one says more');
  });
  process.on('uncaughtException', (err) => {
    ending = true;
    running.logger.fatal({ event: 'uncaught', err });
    process.exit(1); // the state after a bug is unknown; the log is the state, a new process reads it
  });
};

/** Errors of sockets come in bundles without a message of their own, and say what failed but not what to do. */
const explain = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(explain).join('\n');
  if (!(error instanceof Error)) return String(error);
  const isAddress = 'syscall' in error && error.syscall === 'listen';
  return isAddress ? `${error.message}\nFOLDWORK_HTTP_HOST says on which address to listen, FOLDWORK_HTTP_PORT and FOLDWORK_HEALTH_PORT on which port; 0 picks a free one.` : error.message;
};

const closeInTime = async ({ close, timeoutMs, logger }: Running): Promise<number> => {
  const late = Promise.withResolvers<number>();
  const timer = setTimeout(() => late.resolve(1), timeoutMs);
  const code = await Promise.race([
    close().then(() => 0, (err: unknown) => (logger.error({ event: 'stop_failed', err }), 1)),
    late.promise,
  ]);
  clearTimeout(timer);
  logger.info({ event: 'stopped', code });
  return code;
};
