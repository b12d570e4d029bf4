/**
 * Actions for the stand-in marketplace at MARKETPLACE_URL. Uploading and publishing are not idempotent there: their
 * effect is `once`, and each says itself whether it took place.
 */
export default ({ defineAction, z }) => {
  const base = process.env.MARKETPLACE_URL ?? 'http://127.0.0.1:4100';

  const call = async (path, { method = 'GET', body, signal, key } = {}) => {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    const response = await fetch(`${base}${path}`, { method, signal, headers, ...(body && { body: JSON.stringify(body) }) });
    if (response.status === 422) throw Object.assign(new Error(`the marketplace refuses: ${await response.text()}`), { code: 'IMAGE_REFUSED' });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };

  return [
    defineAction({
      name: 'market.createDraft',
      effect: 'keyed',
      input: z.object({ title: z.string() }),
      run: ({ title }, { signal, effectKey }) => call('/drafts', { method: 'POST', body: { title }, signal, key: effectKey }),
    }),
    defineAction({
      name: 'market.uploadImage',
      effect: 'once',
      input: z.object({ draftId: z.string(), image: z.string() }),
      run: ({ draftId, image }, { signal }) => call(`/drafts/${draftId}/images`, { method: 'POST', body: { image }, signal }),
      verify: async ({ draftId, image }, { signal }) => {
        const { images } = await call(`/drafts/${draftId}`, { signal });
        const stored = images.find((each) => each.image === image);
        return stored ? { applied: true, output: stored } : { applied: false };
      },
    }),
    defineAction({
      name: 'market.publish',
      effect: 'once',
      input: z.object({ draftId: z.string() }),
      run: ({ draftId }, { signal }) => call(`/drafts/${draftId}/publish`, { method: 'POST', signal }),
      verify: async ({ draftId }, { signal }) => {
        const { listingId } = await call(`/drafts/${draftId}`, { signal });
        return listingId ? { applied: true, output: { listingId } } : { applied: false };
      },
    }),
    defineAction({
      name: 'market.findImage',
      effect: 'none',
      input: z.object({ draftId: z.string(), image: z.string() }),
      run: async ({ draftId, image }, { signal }) => {
        const { images } = await call(`/drafts/${draftId}`, { signal });
        const stored = images.find((each) => each.image === image);
        return { found: stored !== undefined, ...stored };
      },
    }),
    defineAction({
      name: 'market.getListing',
      effect: 'none',
      input: z.object({ draftId: z.string() }),
      run: async ({ draftId }, { signal }) => ({ listingId: (await call(`/drafts/${draftId}`, { signal })).listingId ?? null }),
    }),
    defineAction({
      name: 'market.deleteImage',
      effect: 'idempotent',
      input: z.object({ draftId: z.string(), image: z.string() }),
      run: ({ draftId, image }, { signal }) => call(`/drafts/${draftId}/images/${encodeURIComponent(image)}`, { method: 'DELETE', signal }),
    }),
    defineAction({
      name: 'market.deleteDraft',
      effect: 'idempotent',
      input: z.object({ draftId: z.string() }),
      run: ({ draftId }, { signal }) => call(`/drafts/${draftId}`, { method: 'DELETE', signal }),
    }),
  ];
};
