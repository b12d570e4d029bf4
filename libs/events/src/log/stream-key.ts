/** Names a stream. Run ids have a fixed length, so the concatenation is unambiguous. */
export const streamKey = (stream: { readonly runId: string; readonly task: string }): string => stream.runId + stream.task;
