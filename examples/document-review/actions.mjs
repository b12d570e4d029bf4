/** Actions for the review agent at REVIEW_AGENT_URL. */
export default ({ defineAction, z }) => {
  const post = async (path, body, { signal, effectKey }) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': effectKey };
    const response = await fetch(`${process.env.REVIEW_AGENT_URL}${path}`, { method: 'POST', signal, headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.error), { code: answer.code });
    return answer;
  };
  return [
    defineAction({
      name: 'review.submit',
      effect: 'keyed',
      input: z.object({ documentId: z.string(), text: z.string() }),
      run: (input, context) => post('/reviews', input, context),
    }),
    defineAction({
      name: 'review.archive',
      effect: 'idempotent',
      input: z.object({ documentId: z.string() }),
      run: (input, context) => post('/archive', input, context),
    }),
  ];
};
