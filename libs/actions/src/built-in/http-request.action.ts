import { z } from 'zod';
import { parseJson, stringifyJson, type Json } from '@foldwork/events/contracts';
import { ActionError, type Action, type ActionContext } from '../action';
import { defineAction } from '../define-action';

const BODY_BYTES_MAX = 256 * 1024;
/** Of an answer that was not expected: enough to see why. */
const FAILURE_BODY_MAX = 4 * 1024;

/** Not strict: inside a collection the item and its index are part of every input. */
const input = z.object({
  url: z.url({ protocol: /^https?$/ }),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  headers: z.record(z.string(), z.string()).default({}),
  /** JSON, or text when it is a string. */
  body: z.custom<Json>(() => true).optional(),
  /** Answers with another status are failures; default: 200 to 299. */
  expectedStatus: z.array(z.number().int()).optional(),
});

/**
 * One HTTP request. Sends the trace of the run, and the effect key as `Idempotency-Key` with methods that change something. Output
 * `{status, headers, body}`, the body parsed where it is JSON. A change is not sent on to where the answer points: it
 * would arrive there as a GET, or twice. Errors: `HTTP_STATUS`, `HTTP_BODY_TOO_LARGE`, `CONNECTION_LOST` when the answer
 * could not be read, and the socket's code when none came.
 */
const httpRequest = defineAction({
  name: 'http.request',
  effect: 'idempotent',
  input,
  run: async (request, context) => {
    const response = await send(request, context);
    const isExpected = request.expectedStatus?.includes(response.status) ?? response.ok;
    const { text, isWhole } = await read(response, context);
    const body = parseBody(text, response.headers.get('content-type'));
    if (!isExpected) throw new ActionError('HTTP_STATUS', `${request.method} ${request.url} answered ${response.status}`, { details: { status: response.status, body: excerpt(body) } });
    if (!isWhole) throw new ActionError('HTTP_BODY_TOO_LARGE', `the answer has more than ${BODY_BYTES_MAX} bytes`);
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  },
});

type HttpRequest = z.infer<typeof input>;

const isChange = ({ method }: HttpRequest): boolean => method !== 'GET' && method !== 'HEAD';

const send = async (request: HttpRequest, context: ActionContext): Promise<Response> => {
  const { url, method, body } = request;
  const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : stringifyJson(body) };
  try {
    return await fetch(url, { method, headers: headersOf(request, context), redirect: isChange(request) ? 'manual' : 'follow', signal: context.signal, ...payload });
  } catch (error) {
    throw isUnreadable(error) ? lost(error) : error;
  }
};

/** The caller's own come first, whatever the case of their letters. */
const headersOf = (request: HttpRequest, { effectKey, traceparent }: ActionContext): Headers => {
  const headers = new Headers(request.headers);
  const add = (name: string, value: string): void => {
    if (!headers.has(name)) headers.set(name, value);
  };
  if (traceparent !== undefined) add('traceparent', traceparent);
  if (isChange(request)) add('idempotency-key', effectKey.replace(/[^\x20-\x7e]+/g, encodeURIComponent));
  if (request.body !== undefined && typeof request.body !== 'string') add('content-type', 'application/json');
  return headers;
};

/** `fetch` has no code for an answer that is no HTTP; where no connection stood, its cause has one. */
const isUnreadable = (error: unknown): error is { readonly cause: object } =>
  typeof error === 'object' && error !== null && 'cause' in error && typeof error.cause === 'object' && error.cause !== null && (!('code' in error.cause) || error.cause.code === undefined);

const lost = ({ cause }: { readonly cause?: unknown }): ActionError =>
  new ActionError('CONNECTION_LOST', `the answer could not be read: ${typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : 'it broke off'}`, { cause });

/** No more than the log could store. */
const read = async (response: Response, { signal }: ActionContext): Promise<{ readonly text: string; readonly isWhole: boolean }> => {
  const chunks: Uint8Array[] = [];
  let left = BODY_BYTES_MAX;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      left -= chunk.byteLength;
      if (left < 0) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw lost(error as Error); // streams of `fetch` fail with errors only
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isWhole: left >= 0 };
};

const parseBody = (text: string, contentType: string | null): Json => {
  if (contentType?.includes('json') !== true) return text;
  try {
    return parseJson(text);
  } catch {
    return text; // says JSON and is not: the text is what there is
  }
};

const excerpt = (body: Json): Json => {
  const text = typeof body === 'string' ? body : stringifyJson(body);
  return text.length <= FAILURE_BODY_MAX ? body : `${text.slice(0, FAILURE_BODY_MAX)}…`;
};

export const httpActions: readonly Action<never>[] = [httpRequest] as unknown as readonly Action<never>[]; // inputs are parsed before use
