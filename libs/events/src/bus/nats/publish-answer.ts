import type { Msg } from '@nats-io/transport-node';

/** What JetStream says to a published message: an acknowledgement, an error, or status 503 when no stream listens. */
export type PublishAnswer =
  | { readonly status: 'stored'; readonly seq: number }
  | { readonly status: 'refused'; readonly code: number; readonly reason: string; readonly storeFailed: boolean };

/** Of JetStream's own error codes: the stream is there and cannot write. */
const STORE_FAILED = 10_077;

export const readPublishAnswer = (message: Msg): PublishAnswer => {
  if (message.data.length === 0) return { status: 'refused', code: message.headers?.code ?? 0, reason: 'no stream listens', storeFailed: false };
  const { seq = 0, error } = message.json<{ seq?: number; error?: { code: number; err_code: number; description: string } }>();
  if (error === undefined) return { status: 'stored', seq };
  return { status: 'refused', code: error.code, reason: error.description, storeFailed: error.err_code === STORE_FAILED };
};
