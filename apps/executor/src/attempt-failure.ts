import { isStorable, parseJson, stringifyJson, type FailureDetail, type Json } from '@foldwork/events';
import { ExpressionError } from '@foldwork/domain';
import { ActionError } from '@foldwork/actions';

const MESSAGE_MAX = 4_096;
const DETAILS_MAX = 64 * 1_024;
/** `{error: {details}}`. */
const DETAILS_DEPTH = 2;
const NO_CODE = 'ACTION_FAILED';

/**
 * An attempt's error as it is recorded: a code for rules, words for people, never a stack trace. Actions throw what they
 * like, whatever types say; never throws itself, or nobody would learn that the attempt has ended.
 */
export const failureOf = (error: unknown): FailureDetail => {
  try {
    return read(error);
  } catch {
    return { code: NO_CODE, message: 'something that cannot be read was thrown' };
  }
};

const read = (error: unknown): FailureDetail => {
  if (error instanceof ExpressionError) return { code: 'EXPRESSION_ERROR', message: error.message };
  if (error instanceof ActionError) {
    const details = recordable(error.details);
    return { code: codeOf(error) ?? NO_CODE, message: cut(wordsOf(error.message)), ...(details !== undefined && { details }) };
  }
  if (!(error instanceof Error)) return { code: codeOf(error) ?? NO_CODE, message: cut(wordsOf(error)) };
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const words = [error, cause].flatMap((each) => (each === undefined ? [] : [wordsOf(each.message)]));
  return { code: codeOf(error) ?? (cause && codeOf(cause)) ?? classOf(error), message: cut(words.filter((each, index) => index === 0 || each !== '').join(': ')) };
};

/** Actions say what they like: what the log cannot hold, or is longer than anybody reads, is left out. */
const recordable = (details: unknown): Json | undefined => {
  if (details === undefined) return undefined;
  try {
    const text = stringifyJson(details);
    return isStorable(text, DETAILS_MAX, DETAILS_DEPTH) ? parseJson(text) : undefined;
  } catch {
    return undefined; // circular, or a BigInt
  }
};

const codeOf = (error: unknown): string | undefined =>
  isObject(error) && typeof error['code'] === 'string' && error['code'] !== '' ? cut(error['code']) : undefined;

const classOf = ({ name }: Error): string => (typeof name !== 'string' || name === '' || name === 'Error' ? NO_CODE : cut(name));

/** Some libraries throw plain objects, or put one in place of the message. */
const wordsOf = (thrown: unknown): string => {
  if (!isObject(thrown)) return String(thrown);
  if (typeof thrown['message'] === 'string') return thrown['message'];
  const details = recordable(thrown);
  return details === undefined ? 'something that is no error was thrown' : stringifyJson(details);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** The log refuses lone surrogates and NUL; a message is for reading, so they are replaced. */
const cut = (message: string): string => (message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 1)}…`).toWellFormed().replaceAll('\u0000', '\uFFFD');
