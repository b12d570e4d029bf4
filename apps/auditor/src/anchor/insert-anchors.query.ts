import type { SqlClient } from '@foldwork/read-models';
import type { Anchor } from './rolling-root';

/** Resolves to the anchors that were new; another auditor may have made the others already. */
export const insertAnchors = async (client: SqlClient, anchors: readonly Anchor[]): Promise<Anchor[]> => {
  const { rows } = await client.query<{ position: string; root: string }>({
    text: `INSERT INTO public.anchors (position, root) SELECT * FROM unnest($1::bigint[], $2::text[])
      ON CONFLICT (position) DO NOTHING RETURNING position, root`,
    values: [anchors.map(({ position }) => position), anchors.map(({ root }) => root)],
  });
  return rows.map(({ position, root }) => ({ position: Number(position), root }));
};
