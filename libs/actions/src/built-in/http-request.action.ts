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
 * `{status, headers, body}`, the body parsed where it is JSON. Errors: `HTTP_STATUS`, `HTTP_BODY_TOO_LARGE`, and the
 * socket's code when no answer came.
 */
const httpRequest = defineAction({
  name: 'http.request',
  effect: 'idempotent',
  input,
  run: async (request, context) => {
    const response = await fetch(request.url, { method: request.method, signal: context.signal, ...payloadOf(request, context) });
    const body = parseBody(await readBounded(response), response.headers.get('content-type'));
    const isExpected = request.expectedStatus?.includes(response.status) ?? response.ok;
    if (!isExpected) throw new ActionError('HTTP_STATUS', `${request.method} ${request.url} answered ${response.status}`, { details: { status: response.status, body: excerpt(body) } });
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  },
});

const payloadOf = ({ method, headers, body }: z.infer<typeof input>, { effectKey, traceparent }: ActionContext): { headers: Record<string, string>; body?: string } => {
  const isChange = method !== 'GET' && method !== 'HEAD';
  const keyed = { ...(traceparent !== undefined && { traceparent }), ...(isChange && { 'idempotency-key': effectKey }), ...headers };
  if (body === undefined) return { headers: keyed };
  if (typeof body === 'string') return { headers: keyed, body };
  return { headers: { 'content-type': 'application/json', ...keyed }, body: stringifyJson(body) };
};

/** Reads no more than the log could store. */
const readBounded = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > BODY_BYTES_MAX) throw new ActionError('HTTP_BODY_TOO_LARGE', `the answer has more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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
