import { createServer } from 'node:http';

/**
 * A stand-in for a review agent: takes a document, answers at once that it has begun, and calls back some time later with
 * `answer(documentId, verdict)`. Some documents it never comes back with, some it cannot put into the archive.
 */
export const startAgent = async ({ thinkMs = 150 } = {}) => {
  const begun = new Map();
  const archived = [];
  const timers = new Set();
  let answer = async () => {};

  const review = ({ documentId, text }, key) => {
    if (begun.has(key)) return begun.get(key);
    const started = { reviewId: `review-${begun.size + 1}` };
    begun.set(key, started);
    const verdict = /fine/.test(text) ? 'accept' : /awful/.test(text) ? 'reject' : 'unsure';
    const isLost = /lost/.test(text);
    if (!isLost) timers.add(setTimeout(() => void answer({ documentId, verdict, ...started }), thinkMs));
    return started;
  };

  const archive = ({ documentId }) => {
    if (documentId.startsWith('held-')) return { status: 409, code: 'RETENTION_CONFLICT', error: `${documentId} is under a legal hold` };
    archived.push(documentId);
    return { archived: documentId };
  };

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const result = request.url === '/archive' ? archive(body) : review(body, request.headers['idempotency-key']);
    response.writeHead(result.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    archived,
    reviews: () => begun.size,
    onAnswer: (callback) => (answer = callback),
    close: () => {
      timers.forEach(clearTimeout);
      return new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
    },
  };
};
