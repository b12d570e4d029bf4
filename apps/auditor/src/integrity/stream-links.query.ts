import type { RunId } from '@foldwork/events';
import type { SqlClient } from '@foldwork/read-models';

/** An event whose predecessor's hash is wanted. */
export interface ChainLink {
  readonly runId: RunId;
  readonly task: string;
  readonly version: number;
}

/** Hex hash of each link's predecessor; those that the log does not hold are left out. */
export const streamLinks = async (client: SqlClient, links: readonly ChainLink[]): Promise<(ChainLink & { readonly hash: string })[]> => {
  if (links.length === 0) return [];
  const { rows } = await client.query<{ run_id: RunId; task: string; version: number; hash: string }>({
    name: 'stream-links',
    text: `SELECT wanted.run_id, wanted.task, wanted.version, encode(event.hash, 'hex') AS hash
      FROM unnest($1::uuid[], $2::text[], $3::int[]) AS wanted(run_id, task, version)
      JOIN public.events event ON event.run_id = wanted.run_id AND event.task = wanted.task AND event.version = wanted.version - 1`,
    values: [links.map(({ runId }) => runId), links.map(({ task }) => task), links.map(({ version }) => version)],
  });
  return rows.map(({ run_id: runId, task, version, hash }) => ({ runId, task, version, hash }));
};
