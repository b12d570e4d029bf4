import { parseJson, stringifyJson, type FailureDetail, type Json } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';

const MESSAGE_MAX = 4_096;
const DETAILS_MAX = 64 * 1_024;

/** An attempt's error as it is recorded: a code for rules, words for people, never a stack trace. */
export const failureOf = (error: unknown): FailureDetail => {
  if (error instanceof ActionError) {
    const details = recordable(error.details);
    return { code: cut(error.code), message: cut(error.message), ...(details !== undefined && { details }) };
  }
  if (!(error instanceof Error)) return { code: codeOf(error) ?? 'ACTION_FAILED', message: cut(wordsOf(error)) };
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const code = codeOf(error) ?? (cause && codeOf(cause)) ?? (error.name === 'Error' ? 'ACTION_FAILED' : error.name);
  return { code: cut(code), message: cut(cause === undefined || cause.message === '' ? error.message : `${error.message}: ${cause.message}`) };
};

/** Actions say what they like: what JSON cannot hold, or is longer than anybody reads, is left out. */
const recordable = (details: unknown): Json | undefined => {
  if (details === undefined) return undefined;
  try {
    const text = stringifyJson(details);
    return text.length > DETAILS_MAX || !text.isWellFormed() || UNSTORABLE.test(text) ? undefined : parseJson(text);
  } catch {
    return undefined; // circular, or a BigInt
  }
};

/** Escapes of NUL and of surrogates, which `JSON.stringify` writes for lone ones only. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

const codeOf = (error: unknown): string | undefined => (isObject(error) && typeof error['code'] === 'string' ? error['code'] : undefined);

/** Some libraries throw plain objects. */
const wordsOf = (thrown: unknown): string => {
  if (!isObject(thrown)) return String(thrown);
  if (typeof thrown['message'] === 'string') return thrown['message'];
  const details = recordable(thrown);
  return details === undefined ? 'something that is no error was thrown' : stringifyJson(details);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** The log refuses lone surrogates and NUL; a message is for reading, so they are replaced. */
const cut = (message: string): string => message.slice(0, MESSAGE_MAX).toWellFormed().replaceAll('\u0000', '\uFFFD');
