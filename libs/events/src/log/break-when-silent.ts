import type { ClientBase } from 'pg';

/** What `pg`'s clients have and its typings lack. */
interface WatchedClient {
  /** False while an answer is awaited. */
  readonly readyForQuery: boolean;
  readonly connection: { readonly stream: NodeJS.WritableStream & { setTimeout(ms: number, onTimeout: () => void): void; destroy(error: Error): void } };
}

/**
 * Ends the connection when a server that owes an answer says nothing for so long: it vanished without a word. Not by
 * `pg`'s `query_timeout`, whose timer per query keeps a fifth of everything allocated from V8's young collections.
 */
export const breakWhenSilent = (client: ClientBase, limitMs: number): void => {
  const watched = client as unknown as WatchedClient;
  const { stream } = watched.connection;
  stream.setTimeout(limitMs, () => {
    if (!watched.readyForQuery) stream.destroy(new Error(`the database has not answered for ${limitMs} ms`));
  });
};
