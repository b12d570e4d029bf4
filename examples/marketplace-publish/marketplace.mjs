import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

/**
 * A stand-in marketplace: a real HTTP server that keeps drafts in memory and is as unpleasant as real ones are. An upload
 * sent twice is stored twice. `dropAnswersTo: [n]` makes it store upload n and then cut the connection instead of
 * answering; images named in `refuse` get 422.
 */
export const startMarketplace = async ({ port = 0, dropAnswersTo = [], refuse = [], uploadMs = 300 } = {}) => {
  const drafts = new Map();
  const byKey = new Map();
  let created = 0;
  let uploads = 0;
  const listeners = new Set();
  const tell = (event) => listeners.forEach((listener) => listener(event));

  const createDraft = ({ title }, key) => {
    if (key && byKey.has(key)) return byKey.get(key);
    const draft = { draftId: `draft-${(created += 1)}`, title, images: [] };
    drafts.set(draft.draftId, draft);
    if (key) byKey.set(key, draft);
    return draft;
  };

  const upload = async (draft, { image }, socket) => {
    const number = (uploads += 1);
    tell({ kind: 'uploading', image, number });
    await new Promise((resolve) => setTimeout(resolve, uploadMs / 2));
    const stored = { imageId: `img-${number}`, image };
    draft.images.push(stored);
    const dropped = dropAnswersTo.includes(number);
    tell({ kind: dropped ? 'stored_answer_lost' : 'stored', image, number });
    if (dropped) return void socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, uploadMs / 2));
    return stored;
  };

  const publish = (draft) => {
    draft.publications = (draft.publications ?? 0) + 1;
    draft.listingId ??= `listing-${draft.draftId}`;
    return { listingId: draft.listingId };
  };

  const remove = (draft, image) => {
    tell({ kind: 'deleted', image: image ?? draft.draftId });
    if (image === undefined) drafts.delete(draft.draftId);
    else draft.images = draft.images.filter((each) => each.image !== image);
    return { deleted: true };
  };

  const route = async (request, body) => {
    const [, kind, id, verb, image] = request.url.split('/').map(decodeURIComponent);
    if (kind !== 'drafts') return undefined;
    if (id === undefined && request.method === 'POST') return createDraft(body, request.headers['idempotency-key']);
    const draft = drafts.get(id);
    if (draft === undefined) return request.method === 'DELETE' ? { deleted: false } : undefined;
    if (request.method === 'DELETE') return remove(draft, image);
    if (verb === 'images' && refuse.includes(body.image)) return { status: 422, error: `${body.image} is not allowed here` };
    if (verb === 'images' && request.method === 'POST') return (await upload(draft, body, request.socket)) ?? null;
    if (verb === 'publish' && request.method === 'POST') return publish(draft);
    return verb === undefined ? draft : undefined;
  };

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const answer = await route(request, text === '' ? {} : JSON.parse(text));
    if (response.socket?.destroyed || answer === null) return;
    response.writeHead(answer === undefined ? 404 : (answer.status ?? 200), { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'not found' }));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    drafts: () => [...drafts.values()],
    on: (listener) => listeners.add(listener),
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const marketplace = await startMarketplace({ port: Number(process.env.PORT ?? 4100), dropAnswersTo: [2] });
  console.log(`marketplace at ${marketplace.url}; it will lose the answer to the second upload`);
}
