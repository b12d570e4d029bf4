import type { FailureDetail } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';

const MESSAGE_MAX = 4_096;

/** An attempt's error as it is recorded: a code for rules, words for people, never a stack trace. */
export const failureOf = (error: unknown): FailureDetail => {
  if (error instanceof ActionError) {
    return { code: error.code, message: cut(error.message), ...(error.details !== undefined && { details: error.details }) };
  }
  if (!(error instanceof Error)) return { code: 'ACTION_FAILED', message: cut(String(error)) };
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const code = codeOf(error) ?? (cause && codeOf(cause)) ?? (error.name === 'Error' ? 'ACTION_FAILED' : error.name);
  return { code, message: cut(cause === undefined || cause.message === '' ? error.message : `${error.message}: ${cause.message}`) };
};

const codeOf = (error: Error): string | undefined => ('code' in error && typeof error.code === 'string' ? error.code : undefined);

/** The log refuses lone surrogates and NUL; a message is for reading, so they are replaced. */
const cut = (message: string): string => message.slice(0, MESSAGE_MAX).toWellFormed().replaceAll('\u0000', '\uFFFD');
