/**
 * Actions of the end-to-end tests: each calls the outside world of the test process at WORLD_URL, where executions are
 * counted and survive a killed executor. What a call does there is said by its input; see harness/world.ts.
 */
export default ({ defineAction }) => {
  const base = process.env.WORLD_URL;

  const call = async (input, { runId, task, attempt, effectKey, traceparent, signal }) => {
    const response = await fetch(`${base}/calls`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', ...(traceparent && { traceparent }) },
      body: JSON.stringify({ run: runId, task, attempt, key: effectKey, input }),
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.error), { code: answer.code });
    return answer;
  };

  const verify = async (_input, { runId, task, signal }) => {
    const response = await fetch(`${base}/effects?${new URLSearchParams({ run: runId, task })}`, { signal });
    if (!response.ok) throw new Error(`the world answered ${response.status}`);
    return response.json();
  };

  return [
    defineAction({ name: 'world.call', effect: 'idempotent', run: call }),
    defineAction({ name: 'world.keyed', effect: 'keyed', run: call }),
    defineAction({ name: 'world.once', effect: 'once', run: call, verify }),
    defineAction({
      name: 'world.recorded',
      effect: 'once',
      run: async (input, context) => {
        await context.recordSideEffect({ image_id: `begun-${context.attempt}` });
        return call(input, context);
      },
      verify,
    }),
    // There only when the test says so: an executor that does not have every action.
    ...(process.env.WORLD_RARE === 'on' ? [defineAction({ name: 'world.rare', effect: 'idempotent', run: call })] : []),
  ];
};
