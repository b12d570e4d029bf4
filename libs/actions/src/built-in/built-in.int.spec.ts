import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ExactNumber, stringifyJson, type Json } from '@foldwork/events';
import type { Action, ActionContext } from '../action';
import { parseInput } from '../action-registry';
import { coreActions } from './core.action';
import { httpActions } from './http-request.action';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answer(request, response, body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listens on TCP
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const lines: unknown[] = [];
const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const context = (signal = new AbortController().signal, effectKey = 'run_1/a'): ActionContext => ({
  traceparent: TRACE, runId: 'run_1', workflow: 'w', task: 'a', attempt: 2, effectKey, signal, sideEffects: {},
  recordSideEffect: () => Promise.resolve(), heartbeat: () => undefined, log: (message, fields) => void lines.push({ message, fields }),
});

interface Dispatcher {
  readonly constructor: new (timeouts: object) => Dispatcher;
  destroy(): Promise<void>;
}

/** Node's `fetch` waits five minutes for an answer; here with other limits. It looks for its dispatcher outside of jest's context. */
const withTimeouts = async (timeouts: object, work: () => Promise<void>): Promise<void> => {
  const outside = (fetch.constructor as typeof Function)('return globalThis')() as object;
  const place = Symbol.for('undici.globalDispatcher.1');
  const usual = Reflect.get(outside, place) as Dispatcher; // `fetch` was used before
  const dispatcher = new usual.constructor(timeouts);
  Reflect.set(outside, place, dispatcher);
  try {
    await work();
  } finally {
    Reflect.set(outside, place, usual);
    await dispatcher.destroy();
  }
};

const run = async (name: string, input: Json, signal?: AbortSignal, effectKey?: string): Promise<unknown> => {
  const action = [...coreActions, ...httpActions].find((each: Action<never>) => each.name === name);
  if (action === undefined) throw new Error(`no action ${name}`);
  const parsed = parseInput(action, input);
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  return action.run(parsed.value, context(signal, effectKey));
};

describe('http.request', () => {
  it('sends JSON with the effect key and the trace, and gives back status, headers and parsed body, numbers exactly', async () => {
    let seen: unknown;
    answer = (request, response, body) => {
      seen = { method: request.method, type: request.headers['content-type'], key: request.headers['idempotency-key'], trace: request.headers['traceparent'], extra: request.headers['x-extra'], body };
      response.writeHead(201, { 'content-type': 'application/json; charset=utf-8', 'x-id': '7' }).end('{"id":9007199254740993}');
    };
    const output = await run('http.request', { url, method: 'POST', headers: { 'x-extra': 'yes' }, body: { n: new ExactNumber('9007199254740993') } as never });
    expect(seen).toEqual({ method: 'POST', type: 'application/json', key: 'run_1/a', trace: TRACE, extra: 'yes', body: '{"n":9007199254740993}' });
    expect(output).toMatchObject({ status: 201, headers: { 'x-id': '7' } });
    expect(stringifyJson((output as { body: unknown }).body)).toBe('{"id":9007199254740993}');
  });

  it('sends text as it is, a key of the caller instead of its own, and none with a GET', async () => {
    const keys: unknown[] = [];
    answer = (request, response, body) => { keys.push(request.headers['idempotency-key']); response.end(body); };
    expect(await run('http.request', { url, method: 'PUT', headers: { 'idempotency-key': 'mine' }, body: 'plain' })).toMatchObject({ body: 'plain' });
    await run('http.request', { url });
    expect(keys).toEqual(['mine', undefined]);
  });

  it('knows the headers of the caller in any case of letters', async () => {
    let seen: unknown;
    answer = (request, response) => {
      seen = [request.headers['idempotency-key'], request.headers['content-type'], request.headers['traceparent']];
      response.end();
    };
    await run('http.request', { url, method: 'POST', headers: { 'Idempotency-Key': 'mine', 'Content-Type': 'application/vnd.shop+json', TraceParent: 'own' }, body: {} });
    expect(seen).toEqual(['mine', 'application/vnd.shop+json', 'own']);
  });

  it('sends an effect key that no header can hold in another spelling', async () => {
    let key: unknown;
    answer = (request, response) => {
      key = request.headers['idempotency-key'];
      response.end();
    };
    await run('http.request', { url, method: 'POST' }, undefined, 'łódź/1\n');
    expect(key).toBe('%C5%82%C3%B3d%C5%BA/1%0A');
  });

  it('sends a change nowhere but where it was told, and reads on where others point', async () => {
    const seen: unknown[] = [];
    answer = (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.writeHead(request.url === '/' ? 302 : 200, { location: '/moved' }).end();
    };
    await expect(run('http.request', { url, method: 'POST', body: 'order' })).rejects.toMatchObject({ code: 'HTTP_STATUS', details: { status: 302 } });
    expect(await run('http.request', { url, method: 'POST', expectedStatus: [302] })).toMatchObject({ status: 302, headers: { location: '/moved' } });
    expect(await run('http.request', { url })).toMatchObject({ status: 200 });
    expect(seen).toEqual(['POST /', 'POST /', 'GET /', 'GET /moved']);
  });

  it('keeps text that says JSON and is not', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    expect(await run('http.request', { url })).toMatchObject({ body: '<html>' });
  });

  it('fails for another status, with what was answered, and takes those that are expected', async () => {
    answer = (_request, response) => void response.writeHead(409, { 'content-type': 'application/json' }).end('{"reason":"sold"}');
    await expect(run('http.request', { url, method: 'POST' })).rejects.toMatchObject({ code: 'HTTP_STATUS', details: { status: 409, body: { reason: 'sold' } } });
    expect(await run('http.request', { url, method: 'POST', expectedStatus: [409] })).toMatchObject({ status: 409 });
    answer = (_request, response) => void response.writeHead(500).end('x'.repeat(100_000));
    const error: unknown = await run('http.request', { url }).catch((reason: unknown) => reason);
    expect(stringifyJson((error as { details: unknown }).details).length).toBeLessThan(10_000);
  });

  it('says what the status was, however much is answered with it', async () => {
    answer = (_request, response) => void response.writeHead(404).end('x'.repeat(300 * 1024));
    await expect(run('http.request', { url })).rejects.toMatchObject({ code: 'HTTP_STATUS', details: { status: 404, body: expect.stringMatching(/^x{4096}…$/) } });
  });

  it.each([
    ['that is no HTTP', 'nonsense\r\n\r\n'],
    ['that breaks off in nonsense', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nfoo'],
    ['that is not compressed as it says', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello'],
  ])('says of an answer %s that it is lost: the request was sent', async (_case, text) => {
    answer = (request) => void request.socket.end(text);
    await expect(run('http.request', { url, method: 'POST' })).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringMatching(/: ./) });
  });

  it('reads no more than the log could store', async () => {
    answer = (_request, response) => void response.end('x'.repeat(300 * 1024));
    await expect(run('http.request', { url })).rejects.toMatchObject({ code: 'HTTP_BODY_TOO_LARGE' });
  });

  it('says that the connection broke, or that nobody listens', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(run('http.request', { url })).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
    await expect(run('http.request', { url: 'http://127.0.0.1:1' })).rejects.toMatchObject({ cause: expect.anything() });
  });

  it.each([['UND_ERR_HEADERS_TIMEOUT', { headersTimeout: 50 }, ''], ['UND_ERR_BODY_TIMEOUT', { bodyTimeout: 50 }, 'the beginning']])(
    'says that the answer did not come in time: %s', async (code, timeouts, beginning) => {
      answer = (_request, response) => {
        if (beginning !== '') response.write(beginning);
      };
      await withTimeouts(timeouts, () => expect(run('http.request', { url })).rejects.toMatchObject({ cause: { code } }));
    });

  it('stops when the attempt is aborted', async () => {
    const abort = new AbortController();
    answer = () => abort.abort(new Error('taken away'));
    await expect(run('http.request', { url }, abort.signal)).rejects.toThrow('taken away');
  });

  it('takes what a collection puts into the input of its children', async () => {
    answer = (_request, response) => void response.end('ok');
    expect(await run('http.request', { url, item: 7, index: 0 })).toMatchObject({ status: 200 });
  });

  it.each([[{}], [{ url: 'ftp://x' }], [{ url: 'not a url' }], [{ url: 'http://x', method: 'BREW' }], [{ url: 'http://x', expectedStatus: ['200'] }]])(
    'refuses the input %j', async (input) => {
      await expect(run('http.request', input as Json)).rejects.toThrow();
    });
});

describe('core actions', () => {
  it('core.log writes a line and hands its input on', async () => {
    expect(await run('core.log', { a: 1 })).toEqual({ a: 1 });
    expect(lines).toContainEqual({ message: 'core.log', fields: { input: { a: 1 } } });
  });

  it('core.fail fails as it is told', async () => {
    await expect((async () => run('core.fail', { code: 'X', message: 'no' }))()).rejects.toMatchObject({ code: 'X', message: 'no' });
    await expect((async () => run('core.fail', {}))()).rejects.toMatchObject({ code: 'CORE_FAIL' });
  });

  it('core.sleep sleeps longer than a timer can wait', async () => {
    const end = AbortSignal.timeout(50);
    await expect(run('core.sleep', { for: '30 days' }, end)).rejects.toThrow('abort');
  });

  it('core.sleep takes its time, and ends early when it is aborted', async () => {
    const startedAt = performance.now();
    expect(await run('core.sleep', { for: '30ms', output: { done: true } })).toEqual({ done: true });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    await expect(run('core.sleep', { for: '1h' }, AbortSignal.timeout(20))).rejects.toThrow();
    await expect((async () => run('core.sleep', { for: 'soon' }))()).rejects.toThrow();
  });
});
